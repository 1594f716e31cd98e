//! `mec verify --heads`: history may only grow.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use std::path::Path;

use serde_json::json;
use support::{Server, mec};

fn meter(folder: &Path, keys: std::ops::Range<u32>, quantity: u32) {
    let mut server = Server::start(folder);
    for key in keys {
        let args = json!({
            "p_idempotency_key": key.to_string(), "p_external_id": "acme",
            "p_resource_type": "api_requests", "p_quantity": quantity,
        });
        assert_eq!(server.rpc("meter_consumption", args).0, 200);
    }
    server.stop();
}

#[test]
fn earlier_heads_must_still_be_part_of_their_chains() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("data");
    let heads = place.path().join("heads.jsonl");
    let heads = heads.to_str().unwrap();
    let (database, copy) = (folder.join("mec.db"), place.path().join("copy.db"));
    mec(&folder, &["migrate"]).ok();
    for name in ["acme", "quiet"] {
        mec(&folder, &["account", "create", "--external-id", name]).ok();
    }
    meter(&folder, 0..3, 1);
    std::fs::copy(&database, &copy).unwrap();
    meter(&folder, 3..6, 1);
    let written = mec(&folder, &["verify", "--heads", heads]).ok();
    assert!(written.out.contains("1 heads written"), "{written:?}");
    let text = std::fs::read_to_string(heads).unwrap();
    let head: serde_json::Value = serde_json::from_str(text.trim()).unwrap();
    assert_eq!(head["chain_seq"], 6);
    // What is recorded afterwards changes nothing about it, and the export stays as it was.
    meter(&folder, 6..9, 1);
    let compared = mec(&folder, &["verify", "--heads", heads]).ok();
    assert!(
        compared.out.contains("1 earlier heads are still part"),
        "{compared:?}"
    );
    assert_eq!(std::fs::read_to_string(heads).unwrap(), text);
    // An older database is whole in itself, but history is missing.
    std::fs::copy(&copy, &database).unwrap();
    mec(&folder, &["verify"]).ok();
    let lost = mec(&folder, &["verify", "--heads", heads, "--json"]);
    assert_eq!(lost.code, Some(4));
    let problem = lost.json()["problem"].as_str().unwrap().to_owned();
    let chain = head["chain_id"].as_str().unwrap();
    assert!(
        problem.contains(chain) && problem.contains("ends before number 6"),
        "{problem}"
    );
    // Grown again with another history, it is long enough, but not the same.
    meter(&folder, 3..9, 2);
    mec(&folder, &["verify"]).ok();
    let rewritten = mec(&folder, &["verify", "--heads", heads]);
    assert_eq!(rewritten.code, Some(4));
    assert!(rewritten.out.contains("was rewritten"), "{rewritten:?}");
}

#[test]
fn tampering_is_found_and_no_heads_are_exported_then() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("data");
    let heads = place.path().join("heads.jsonl");
    mec(&folder, &["migrate"]).ok();
    mec(&folder, &["account", "create", "--external-id", "acme"]).ok();
    meter(&folder, 0..5, 1);
    let database = rusqlite::Connection::open(folder.join("mec.db")).unwrap();
    let statement =
        "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'consumption_ledger'";
    let mut triggers = database.prepare(statement).unwrap();
    let names: Vec<String> = triggers
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    drop(triggers);
    assert!(!names.is_empty());
    for name in names {
        database
            .execute_batch(&format!("DROP TRIGGER {name}"))
            .unwrap();
    }
    let changed = database.execute(
        "UPDATE consumption_ledger SET quantity = quantity * 2 WHERE chain_seq = 3",
        [],
    );
    assert_eq!(changed.unwrap(), 1);
    drop(database);
    let path = heads.to_str().unwrap();
    let found = mec(&folder, &["verify", "--heads", path]);
    assert_eq!(found.code, Some(4));
    assert!(found.out.contains("number 3 of chain"), "{found:?}");
    assert!(!heads.exists());
    std::fs::write(&heads, "no head\n").unwrap();
    let unreadable = mec(&folder, &["verify", "--heads", path]);
    assert!(
        unreadable.code == Some(1) && unreadable.err.contains("heads.jsonl:1: no chain head"),
        "{unreadable:?}"
    );
}
