//! `mec bench` against the real binary: what it asks arrives, and what it counts is what it asked.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};
use support::{Server, binary, verify};

fn bench(folder: &Path, args: &str) -> Output {
    Command::new(binary())
        .args([
            "bench",
            "--warmup",
            "0",
            "--accounts",
            "3",
            "--callers",
            "4",
        ])
        .arg("--data-dir")
        .arg(folder)
        .args(args.split(' '))
        .env_remove("JWT_SECRET")
        .env_remove("MEC_TOKEN")
        .output()
        .unwrap()
}

fn report(folder: &Path, args: &str) -> Value {
    let output = bench(folder, &format!("{args} --json"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args}: {errors}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What is used of the metered resource over the three accounts of the bench.
fn used(server: &Server) -> Vec<i64> {
    let used = |number: u32| {
        let args = json!({
            "p_external_id": format!("bench-{number}"), "p_resource_type": "api_requests",
        });
        server.rpc("get_usage", args).1.as_i64().unwrap()
    };
    (0..3).map(used).collect()
}

#[test]
fn what_it_counts_is_what_it_asked() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    let spread = report(folder.path(), "consume --requests 50");
    assert_eq!(
        (&spread["requests"], &spread["errors"]),
        (&json!(50), &json!({}))
    );
    assert_eq!(spread["kinds"][0]["kind"], "consume");
    assert!(
        spread["latency_us"]["p99.9"].as_f64() > Some(0.0),
        "{spread}"
    );
    assert_eq!(used(&server).iter().sum::<i64>(), 50);
    assert!(
        used(&server).iter().all(|used| *used > 0),
        "{:?}",
        used(&server)
    );

    let before = used(&server);
    let hot = report(folder.path(), "meter100 --batch 7 --hot --requests 5");
    assert_eq!((&hot["requests"], &hot["errors"]), (&json!(5), &json!({})));
    assert_eq!(used(&server), [before[0] + 35, before[1], before[2]]);

    // 40 requests are due within the time, however fast they are answered.
    let paced = report(folder.path(), "consume --rate 200 --duration 0.2");
    assert_eq!(
        (&paced["requests"], &paced["unanswered"]),
        (&json!(40), &json!(0))
    );
    assert_eq!(used(&server).iter().sum::<i64>(), 125);

    for workload in ["check", "checks100", "meter", "lease", "mixed"] {
        let report = report(folder.path(), &format!("{workload} --requests 20"));
        assert_eq!(
            (&report["requests"], &report["errors"]),
            (&json!(20), &json!({})),
            "{workload}"
        );
    }
    drop(server);
    assert_eq!(verify(folder.path()).0, Some(0));
}

#[test]
fn refusals_are_told_and_a_missing_server_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let output = bench(folder.path(), "check --requests 1");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("start `mec serve` first"));

    let _server = Server::start(folder.path());
    let unknown = report(folder.path(), "--url /api/rpc/none --body {} --requests 3");
    assert_eq!(unknown["errors"], json!({ "404 PGRST202": 3 }));
    assert_eq!(
        (&unknown["requests"], &unknown["latency_us"]),
        (&json!(0), &Value::Null)
    );
    let table = bench(folder.path(), "check --requests 9");
    let table = String::from_utf8_lossy(&table.stdout);
    assert!(
        table.contains("check_entitlement") && table.contains("p99.9 us"),
        "{table}"
    );
}

#[test]
fn it_is_not_held_to_the_rate_of_other_clients() {
    let folder = tempfile::tempdir().unwrap();
    let settings = ["--rate-limit-api", "1/m burst 2"];
    let server = Server::start_with(folder.path(), &settings);
    let report = report(folder.path(), "check --requests 50");
    assert_eq!(report["errors"], json!({}));
    let ask = json!({"p_external_id": "bench-0", "p_resource_type": "api_requests"});
    for _ in 0..2 {
        assert_eq!(server.rpc("check_entitlement", ask.clone()).0, 200);
    }
    let (status, told) = server.rpc("check_entitlement", ask);
    assert_eq!((status, &told["code"]), (429, &json!("rate_limited")));
}
