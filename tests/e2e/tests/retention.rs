//! `mec retention apply` on the real binary, with a server running and without.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use std::path::Path;
use std::process::Command;

use serde_json::json;
use support::{Server, mec, ran, verify};

const APPLY: [&str; 2] = ["retention", "apply"];

/// Makes what was decided, changed and answered so far look as old as a year, and puts more decisions
/// than one step drops.
fn age(folder: &Path) {
    // Rows are found by ids that begin with their time, as all ids of MEC's do.
    let (year, id) = (
        "(unixepoch() - 365 * 86400) * 1000000",
        "CAST(char(1) || printf('%015d', n) AS BLOB)",
    );
    let sql = format!(
        "UPDATE idempotency_keys SET created_at = {year};
         WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 4321)
         INSERT INTO control_decisions_log
         SELECT 'tenant-' || n % 3, {id}, x'00', 'r', NULL, 1, NULL, 'deny', 'c', 'r',
                NULL, NULL, NULL, NULL, NULL, NULL, {year}
         FROM n;
         WITH n (n) AS (VALUES (1), (2))
         INSERT INTO entitlements_audit
         SELECT 'tenant-1', {id}, x'00', 'INSERT', NULL, '{{}}', 'me', {year}
         FROM n;"
    );
    let done = Command::new("sqlite3")
        .arg(folder.join("mec.db"))
        .arg(sql)
        .status()
        .expect("the tests need sqlite3: apt-get install sqlite3");
    assert!(done.success());
}

#[test]
fn what_is_old_goes_and_what_was_used_stays() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut server = Server::start(folder);
    server.organization("acme", None);
    let used = json!({"p_idempotency_key": "k", "p_external_id": "acme", "p_resource_type": "benchmark_runs", "p_quantity": 3});
    let event = server.rpc("meter_consumption", used.clone()).1;
    assert!(event.is_string(), "{event}");
    server.stop();
    age(folder);

    let server = Server::start(folder);
    let kept = ["--decisions-days", "400", "--answers-days", "400", "--json"];
    let nothing = mec(folder, &[&APPLY[..], &kept].concat()).ok().json();
    let none = json!({"decisions": 0, "audit": 0, "answers": 0, "done": true});
    assert_eq!(nothing, none);
    let told = mec(folder, &APPLY).ok().out;
    for part in ["4321 dropped", "1 dropped", "0 dropped", "2557 days"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let again = [&APPLY[..], &["--json"]].concat();
    assert_eq!(mec(folder, &again).ok().json(), none);
    let audit = [&again[..], &["--audit-days", "364"]].concat();
    assert_eq!(mec(folder, &audit).ok().json()["audit"], 2);
    let replayed = server.rpc("meter_consumption", used).1;
    assert_eq!(replayed, json!({"event_id": event, "code": "replayed"}));
    let asked = json!({"p_external_id": "acme", "p_resource_type": "benchmark_runs"});
    assert_eq!(server.rpc("get_usage", asked).1, 3);

    // An administrator of one namespace may not act on all of them.
    let token = mec(folder, &["token", "--role", "mec_admin"]).ok().out;
    let far = [&APPLY[..], &["--server", &server.address]].concat();
    let refused = ran(support::command(folder, &far).env("MEC_TOKEN", token.trim()));
    assert!(
        refused.code == Some(1) && refused.err.contains("namespace_id *"),
        "{refused:?}"
    );
    drop(server);

    assert_eq!(mec(folder, &again).ok().json(), none);
    assert_eq!(verify(folder).0, Some(0));
    let never = mec(folder, &[&APPLY[..], &["--audit-days", "0"]].concat());
    assert!(
        never.code == Some(2) && never.err.contains("--audit-days"),
        "{never:?}"
    );
}
