//! The plan's guard of the ledger did not cover TRUNCATE. SQLite has none; its counterparts are a
//! DELETE without a condition, and a guard that somebody takes away.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use common::World;
use mec_store_sqlite::verify;

#[tokio::test]
async fn repair_17_the_append_only_guard_covers_a_delete_of_everything() {
    let mut world = World::new();
    let store = world.open();
    let (mut tree, owner, child) = common::planted(&mut world, &store).await;
    let at = "2026-05-04T10:00:00Z";
    let changes = tree.event(world.id(), &[child, owner], "benchmark_runs", None, 3, at);
    tree.commit(&store, changes).await.unwrap();
    for table in ["consumption_ledger", "consumption_event_details"] {
        let refused = world.raw().execute(&format!("DELETE FROM {table}"), []);
        let sentence = refused.unwrap_err().to_string();
        assert!(sentence.contains("append-only"), "{sentence}");
    }
    let report = verify(world.path(), &mut |_| {}).unwrap();
    assert_eq!((report.problem, report.events), (None, 1));
}

#[tokio::test]
async fn repair_17_a_guard_that_was_taken_away_or_changed_is_found() {
    let tampered = [
        "DROP TRIGGER consumption_ledger_no_delete",
        "DROP TRIGGER control_decisions_log_no_replace",
        "DROP TRIGGER consumption_ledger_no_update;
         CREATE TRIGGER consumption_ledger_no_update BEFORE UPDATE ON consumption_ledger BEGIN SELECT 1; END",
        "CREATE TRIGGER extra AFTER INSERT ON consumption_ledger BEGIN DELETE FROM trees; END",
    ];
    for tamper in tampered {
        let mut world = World::new();
        drop(world.open());
        assert_eq!(verify(world.path(), &mut |_| {}).unwrap().problem, None);
        world.raw().execute_batch(tamper).unwrap();
        let problem = verify(world.path(), &mut |_| {}).unwrap().problem;
        let name = tamper
            .split_whitespace()
            .nth(2)
            .unwrap()
            .trim_end_matches(';');
        assert!(
            problem.is_some_and(|problem| problem.contains(name)),
            "{tamper}"
        );
    }
}

#[tokio::test]
async fn a_lookup_in_use_changes_only_its_description_whoever_writes() {
    let mut world = World::new();
    let store = world.open();
    let (mut tree, owner, child) = common::planted(&mut world, &store).await;
    let at = "2026-05-04T10:00:00Z";
    let changes = tree.event(world.id(), &[child, owner], "benchmark_runs", None, 3, at);
    tree.commit(&store, changes).await.unwrap();
    let raw = world.raw();
    // A shell does not watch foreign keys unless it is told to.
    raw.pragma_update(None, "foreign_keys", false).unwrap();
    for refused in [
        "UPDATE units SET base_factor = 61 WHERE unit_code = 'hours'",
        "UPDATE units SET scale = 1",
        "UPDATE units SET unit_code = 'pieces' WHERE unit_code = 'count'",
        "DELETE FROM units WHERE unit_code = 'count'",
        "DELETE FROM units",
        "REPLACE INTO units VALUES ('count', 'count', '', 0, 'count', 2)",
        "UPDATE window_types SET period_unit = NULL WHERE window_type_code = 'calendar_month'",
        "DELETE FROM window_types",
        "REPLACE INTO window_types VALUES ('none', '', 'rolling', 'day', 1)",
        "UPDATE account_types SET can_have_children = 0",
        "DELETE FROM account_types",
        "REPLACE INTO account_types VALUES ('organization', '', 0)",
    ] {
        let sentence = raw.execute(refused, []).unwrap_err().to_string();
        assert!(sentence.contains("in use"), "{refused}: {sentence}");
    }
    for refused in [
        "DELETE FROM recorded_units",
        "UPDATE recorded_units SET unit_code = 'hours'",
    ] {
        let sentence = raw.execute(refused, []).unwrap_err().to_string();
        assert!(sentence.contains("append-only"), "{refused}: {sentence}");
    }
    for taken in [
        "UPDATE units SET description = 'x'",
        "UPDATE window_types SET description = 'x'",
        "UPDATE account_types SET description = 'x'",
        "UPDATE units SET scale = 2 WHERE unit_code = 'bytes'",
        "DELETE FROM window_types WHERE window_type_code = 'rolling_24h'",
    ] {
        assert!(raw.execute(taken, []).unwrap() > 0, "{taken}");
    }
    assert_eq!(verify(world.path(), &mut |_| {}).unwrap().problem, None);
}
