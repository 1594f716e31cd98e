//! `mec account erase` on the real binary: who a person was is not in the database file any more.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use std::path::Path;

use serde_json::json;
use support::{Server, mec, verify};

/// What of a text stands in any file of a folder.
fn stands_in(folder: &Path, needle: &str) -> bool {
    let files = std::fs::read_dir(folder).unwrap();
    let files = files.map(|entry| std::fs::read(entry.unwrap().path()).unwrap());
    let mut files = files.filter(|bytes| {
        let mut windows = bytes.windows(needle.len());
        windows.any(|window| window == needle.as_bytes())
    });
    files.next().is_some()
}

#[test]
fn a_person_goes_from_the_files_and_what_was_used_stays() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    mec(folder, &["migrate"]).ok();
    for name in ["u-1", "u-2", "u-3", "u-4", "u-5"] {
        let (shown, email) = (format!("Ada {name}"), format!("ada.{name}@example.org"));
        let create = ["account", "create", "--type", "user", "--external-id", name];
        let person = ["--name", &shown, "--email", &email];
        mec(folder, &[&create[..], &person].concat()).ok();
    }
    assert!(stands_in(folder, "ada.u-2@example.org"));
    let mut server = Server::start(folder);
    let plan = json!({"p_external_id": "u-2", "p_plan_id": "starter"});
    assert_eq!(server.rpc("provision_plan", plan).0, 200);
    let used = json!({"p_idempotency_key": "k", "p_external_id": "u-2", "p_resource_type": "benchmark_runs"});
    assert_eq!(server.rpc("consume", used).1["decision"], "allow");

    let erase = ["account", "erase", "u-2"];
    let unasked = mec(folder, &erase);
    let sentence = "Nobody can be asked here: say --yes";
    assert!(
        unasked.code == Some(1) && unasked.err.contains(sentence),
        "{unasked:?}"
    );
    let sure = [&erase[..], &["--yes", "--json"]].concat();
    let erased = mec(folder, &sure).ok();
    assert_eq!(mec(folder, &sure).ok().out, erased.out);
    let row = erased.json();
    for (column, value) in [
        ("external_id", json!("u-2")),
        ("display_name", json!(null)),
        ("email", json!(null)),
        ("metadata", json!({})),
    ] {
        assert_eq!(row[column], value, "{column}");
    }
    for name in ["u-1", "u-3", "u-4", "u-5"] {
        mec(folder, &["account", "erase", name, "--yes"]).ok();
    }
    server.stop();
    for gone in ["u-1", "u-2", "u-3", "u-4", "u-5"] {
        let name = format!("Ada {gone}");
        assert!(!stands_in(folder, &name), "{gone}");
        assert!(!stands_in(folder, &format!("ada.{gone}@example.org")));
    }

    // Without a server, by MEC's own id, for people.
    let id = row["account_id"].as_str().unwrap();
    let table = mec(folder, &["account", "erase", id, "--by-id", "--yes"]).ok();
    assert!(table.out.contains("u-2") && !table.out.contains("email"));
    let usage = ["check", "u-2", "benchmark_runs", "--json"];
    assert_eq!(mec(folder, &usage).ok().json()["quantity_used"], 1);
    let nobody = mec(folder, &["account", "erase", "nobody", "--yes"]);
    assert!(
        nobody.code == Some(1) && nobody.err.contains("account_not_found"),
        "{nobody:?}"
    );
    assert_eq!(verify(folder).0, Some(0));
}
