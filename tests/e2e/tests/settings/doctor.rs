//! `mec doctor` on healthy and broken folders.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;

use crate::support::{Server, command, mec, ran};

/// The findings in a state, as `what: finding`.
fn findings(told: &Value, state: &str) -> Vec<String> {
    let findings = told.as_array().unwrap().iter();
    let findings = findings.filter(|finding| finding["state"] == state);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    findings
        .map(|finding| {
            // What is not as it should be says what to do.
            assert_eq!(finding["remedy"].is_null(), state == "ok", "{finding}");
            format!("{}: {}", text(&finding["what"]), text(&finding["finding"]))
        })
        .collect()
}

fn doctor(folder: &Path) -> (Option<i32>, Value) {
    let ran = mec(folder, &["doctor", "--json"]);
    (ran.code, ran.json())
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_healthy_installation_passes_running_or_not() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("data");
    let mut server = Server::start(&folder);
    let (code, told) = doctor(&folder);
    assert_eq!((code, findings(&told, "fail")), (Some(0), Vec::new()));
    let ok = findings(&told, "ok");
    for start in [
        "data folder: ",
        "secret: ",
        "database: schema version ",
        &format!("server: {} is up", server.address),
        "server: it is ready: its store can be written to",
        "clock: ",
        "disk: a write reaches it within ",
        "token: it is for the role mec_admin in the namespace * for ",
        "token: it is taken, for an administrator",
    ] {
        assert!(
            ok.iter().any(|finding| finding.starts_with(start)),
            "{start} {ok:?}"
        );
    }
    let lines = mec(&folder, &["doctor"]).ok().out;
    assert!(
        lines
            .lines()
            .all(|line| line.starts_with("ok    ") || line.starts_with("warn  "))
    );
    server.stop();
    // A stop leaves nothing that leads to the server.
    assert!(!folder.join("mec.addr").exists() && !folder.join("mec.token").exists());
    let (code, told) = doctor(&folder);
    assert_eq!(code, Some(0));
    let warnings = findings(&told, "warn");
    assert!(
        warnings
            .iter()
            .any(|w| w == "server: none runs on the data folder"),
        "{warnings:?}"
    );
}

#[test]
fn every_breakage_is_named_with_a_remedy() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("data");
    let mut server = Server::start(&folder);
    chmod(&folder, 0o755);
    chmod(&folder.join("mec.token"), 0o644);
    fs::write(folder.join("jwt_secret"), "short").unwrap();
    let (code, told) = doctor(&folder);
    let fails = findings(&told, "fail");
    assert_eq!((code, fails.len()), (Some(6), 3), "{fails:?}");
    assert!(
        fails[0].ends_with("has mode 0755: others can reach it"),
        "{fails:?}"
    );
    assert!(fails[1].contains("mec.token has mode 0644"), "{fails:?}");
    assert!(fails[2].ends_with("jwt_secret has 5 bytes"), "{fails:?}");
    let lines = mec(&folder, &["doctor"]).out;
    assert!(
        lines.contains(&format!("; chmod 700 {}", folder.display())),
        "{lines}"
    );
    fs::write(folder.join("mec.token"), "worn-out").unwrap();
    chmod(&folder.join("mec.token"), 0o600);
    let fails = findings(&doctor(&folder).1, "fail");
    assert!(
        fails
            .iter()
            .any(|fail| fail.starts_with("token: it is refused")),
        "{fails:?}"
    );
    fs::remove_file(folder.join("mec.addr")).unwrap();
    let fails = findings(&doctor(&folder).1, "fail");
    let lost = "server: a process has the data folder, but its address is not there";
    assert!(fails.iter().any(|fail| fail == lost), "{fails:?}");
    server.kill();

    chmod(&folder, 0o700);
    fs::remove_file(folder.join("jwt_secret")).unwrap();
    fs::write(
        folder.join("mec.db"),
        "no database at all, only text".repeat(100),
    )
    .unwrap();
    for rest in ["mec.db-wal", "mec.db-shm"] {
        fs::remove_file(folder.join(rest)).unwrap();
    }
    let (code, told) = doctor(&folder);
    let fails = findings(&told, "fail");
    assert_eq!(code, Some(6));
    for part in ["jwt_secret cannot be read", "mec.db cannot be opened"] {
        assert!(
            fails.iter().any(|fail| fail.contains(part)),
            "{part} {fails:?}"
        );
    }
    let (code, told) = doctor(&place.path().join("nothing"));
    let fails = findings(&told, "fail");
    assert!(
        code == Some(6) && fails[0].contains("nothing cannot be read"),
        "{fails:?}"
    );
}

#[test]
fn settings_are_looked_at_and_a_distant_server_too() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("data");
    let server = Server::start(&folder);
    let mut wrong = command(&folder, &["doctor", "--json"]);
    wrong
        .env("JWT_SECRET", "short")
        .env("MEC_LISTEN", "everywhere")
        .env("MEC_LISTN", "x");
    let told = ran(&mut wrong);
    assert_eq!(told.code, Some(6));
    let fails = findings(&told.json(), "fail");
    assert_eq!(
        fails,
        [
            "settings: the environment: MEC_LISTEN has addresses such as 127.0.0.1:8000 or unix:/run/mec.sock, not 'everywhere'",
            "settings: the environment: JWT_SECRET has 5 bytes; it must have 32 or more",
        ]
    );
    let warned = findings(&told.json(), "warn");
    assert!(
        warned.iter().any(|warning| warning.contains("MEC_LISTN"))
            && told.out.contains("did you mean MEC_LISTEN?"),
        "{warned:?}"
    );
    let elsewhere = place.path().join("elsewhere");
    let mut distant = command(
        &elsewhere,
        &["doctor", "--json", "--server", &server.address],
    );
    let told = ran(distant.env("MEC_TOKEN", &server.token));
    assert_eq!(told.code, Some(0), "{told:?}");
    let warned = findings(&told.json(), "warn");
    assert!(
        warned
            .iter()
            .any(|w| w.starts_with("token: it is taken, but not for an administrator")),
        "{warned:?}"
    );
    let nobody = ["doctor", "--json", "--server", "http://127.0.0.1:9"];
    let told = mec(&elsewhere, &nobody);
    assert!(
        told.code == Some(6) && told.out.contains("does not answer"),
        "{told:?}"
    );
}
