//! Settings that change while the server runs.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{Server, command, mec, ran};

const OLD: &str = "the secret that is on its way out, which is long";
const NEW: &str = "the secret that is on its way in, which is long";
/// How long anything may take to come about.
const DEADLINE: Duration = Duration::from_secs(60);

#[track_caller]
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(
            begun.elapsed() < DEADLINE,
            "it never came about that {what}"
        );
    }
}

/// A token of a secret.
fn token(folder: &Path, secret: &str) -> String {
    let told = ran(command(folder, &["token"]).env("JWT_SECRET", secret)).ok();
    told.out.trim().to_owned()
}

#[test]
fn a_secret_is_replaced_without_a_refused_request() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("data");
    let file = place.path().join("secret");
    let former = place.path().join("former");
    fs::write(&file, OLD).unwrap();
    fs::write(&former, "").unwrap();
    let mut serve = command(&folder, &["serve", "--listen", "127.0.0.1:0"]);
    serve
        .env("JWT_SECRET_FILE", &file)
        .env("JWT_SECRET_PREVIOUS_FILE", &former)
        .current_dir(place.path())
        .stderr(Stdio::piped());
    let mut server = Server::spawn(&mut serve, Some(token(&folder, OLD)));
    let mut log = server.log();
    server.organization("acme", None);
    let args = json!({ "p_external_id": "acme", "p_resource_type": "benchmark_runs" }).to_string();
    let status = |token: &str| {
        server
            .post(Some(token), "/api/rpc/check_entitlement", &args)
            .0
    };
    let (old, new) = (token(&folder, OLD), token(&folder, NEW));
    assert_eq!((status(&old), status(&new)), (200, 401));

    let (is_over, asked) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::SeqCst) {
                assert_eq!(status(&old), 200);
                asked.fetch_add(1, Ordering::SeqCst);
            }
        });
        fs::write(&former, format!("{OLD}\n")).unwrap();
        fs::write(&file, format!("{NEW}\n")).unwrap();
        server.signal("HUP");
        until("tokens of the new secret are taken", || status(&new) == 200);
        let before = asked.load(Ordering::SeqCst);
        until("tokens of the old secret are still taken", || {
            asked.load(Ordering::SeqCst) > before + 10
        });
        is_over.store(true, Ordering::SeqCst);
    });

    // Nothing that is wrong takes effect, and the log says what.
    fs::write(&file, "short").unwrap();
    server.signal("HUP");
    let told = log.find(|line| line.contains("were not reloaded")).unwrap();
    assert!(told.contains("JWT_SECRET has 5 bytes"), "{told}");
    assert_eq!((status(&old), status(&new)), (200, 200));

    fs::write(&file, NEW).unwrap();
    fs::write(&former, "").unwrap();
    fs::write(place.path().join("mec.toml"), "MEC_QUERY_TIMEOUT_MS = 100").unwrap();
    server.signal("HUP");
    let told = log
        .find(|line| line.contains("a restart puts it into force"))
        .unwrap();
    assert!(told.contains("MEC_QUERY_TIMEOUT_MS has changed"), "{told}");
    until("tokens of the old secret are refused", || {
        status(&old) == 401
    });
    assert_eq!(status(&new), 200);
    // Commands go on by the new secret.
    until("commands are let in", || {
        mec(&folder, &["check", "acme", "benchmark_runs"]).code != Some(1)
    });
    server.stop();
}
