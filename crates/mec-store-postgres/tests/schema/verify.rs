//! Whoever gets past the guards is found out afterwards.

use std::sync::Arc;

use mec_core::book::TreeHead;
use mec_core::chain::event_hash;
use mec_core::change::Change;
use mec_store::conformance::{TestClock, TestIds, given};
use mec_store::{CommitSet, TreeCommit};
use mec_store_postgres::{PostgresConfig, PostgresStore, verify_since};
use mec_test_postgres::Server;

use super::{config, run};

/// A database with a chain of three events.
fn history() -> String {
    let database = Server::shared().database();
    let config = PostgresConfig {
        clock: Some(Arc::new(TestClock::at(given::NOW))),
        ..config("mec_engine", &database)
    };
    run(async {
        let mut ids = TestIds::default();
        let store = PostgresStore::open(&config, &mut ids).await.unwrap();
        given::family(&store).await;
        let mut head = TreeHead::new(given::OWNER, 0);
        let mut changes: Vec<Change> = Vec::new();
        for number in 1..=3 {
            let above = [given::TEAM, given::OWNER];
            let mut event = given::event(0x1000 + number, given::USER, &above, 2, given::NOW);
            event.details.insert("job".to_owned(), "nightly".to_owned());
            (event.chain_id, event.chain_seq) = (head.chain_id, head.chain_seq + 1);
            event.chain_hash = event_hash(&head.chain_hash, &event);
            (head.chain_seq, head.chain_hash) = (event.chain_seq, event.chain_hash);
            changes.extend(given::recorded(event));
        }
        (head.last_at, head.version) = (given::NOW, 2);
        let tree = TreeCommit {
            namespace: given::namespace(),
            head,
            is_new: false,
            changes: changes.into_iter().map(|change| (0, change)).collect(),
        };
        let set = CommitSet {
            trees: vec![tree],
            ..CommitSet::default()
        };
        given::commit_set(&store, set).await.unwrap();
    });
    database
}

fn problem(database: &str) -> Option<String> {
    let config = config("mec_engine", database);
    let report = run(verify_since(&config, &[], &mut |_| {})).unwrap();
    report.problem
}

/// What is found after the superuser has changed something with the guards out of the way.
fn found(tamper: &str) -> String {
    let database = history();
    let sql = format!("SET session_replication_role = replica; SET search_path = mec; {tamper}");
    Server::shared().psql(&database, &sql).unwrap();
    problem(&database).unwrap()
}

#[test]
fn a_history_that_nobody_touched_is_proven() {
    let database = history();
    let config = config("mec_engine", &database);
    let report = run(verify_since(&config, &[], &mut |_| {})).unwrap();
    assert_eq!((report.events, report.chains, report.problem), (3, 1, None));
}

#[test]
fn a_changed_row_is_found() {
    let second = "00000000-0000-0000-0000-000000001002";
    for tamper in [
        "UPDATE consumption_ledger SET quantity = 1 WHERE chain_seq = 2",
        "UPDATE consumption_ledger SET occurred_at = occurred_at + interval '1 microsecond' WHERE chain_seq = 2",
        "UPDATE consumption_ledger SET idempotency_key = NULL WHERE chain_seq = 2",
        "UPDATE consumption_event_details SET detail_value = 'other' WHERE event_id::text LIKE '%1002'",
        "DELETE FROM consumption_event_details WHERE event_id::text LIKE '%1002'",
    ] {
        let sentence = found(tamper);
        assert!(sentence.contains(second), "{tamper}: {sentence}");
    }
}

#[test]
fn a_missing_row_is_found() {
    let third = "00000000-0000-0000-0000-000000001003";
    let sentence = found("DELETE FROM consumption_ledger WHERE chain_seq = 2");
    assert!(sentence.contains(third), "{sentence}");
    let sentence = found("DELETE FROM consumption_ledger WHERE chain_seq = 3");
    assert!(sentence.contains("head"), "{sentence}");
    let sentence = found("DELETE FROM trees");
    assert!(sentence.contains("head"), "{sentence}");
}

#[test]
fn a_changed_or_missing_bucket_is_found() {
    for granularity in 0..4 {
        for tamper in [
            format!(
                "UPDATE usage_buckets SET amount = amount + 0.000001 WHERE granularity = {granularity}"
            ),
            format!("DELETE FROM usage_buckets WHERE granularity = {granularity}"),
        ] {
            let sentence = found(&tamper);
            assert!(sentence.contains("gpu_hours"), "{tamper}: {sentence}");
        }
    }
}

#[test]
fn a_guard_that_is_gone_switched_off_or_another_is_found() {
    let server = Server::shared();
    let month = "DO $$ BEGIN EXECUTE format('ALTER TABLE mec.consumption_ledger_%s DISABLE TRIGGER append_only',
        to_char(now(), 'YYYY_MM')); END $$";
    let weak =
        "CREATE FUNCTION mec.let_it() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'";
    for tamper in [
        "ALTER TABLE mec.consumption_ledger DISABLE TRIGGER append_only".to_owned(),
        "ALTER TABLE mec.consumption_ledger DISABLE TRIGGER ALL".to_owned(),
        "ALTER TABLE mec.consumption_ledger ENABLE REPLICA TRIGGER append_only".to_owned(),
        "ALTER TABLE mec.consumption_ledger_rest DISABLE TRIGGER no_truncate".to_owned(),
        month.to_owned(),
        "DROP TRIGGER no_truncate ON mec.consumption_event_details".to_owned(),
        "DROP TRIGGER kept ON mec.entitlements_audit".to_owned(),
        "ALTER TABLE mec.control_decisions_log DISABLE TRIGGER append_only".to_owned(),
        format!(
            "{weak}; DROP TRIGGER append_only ON mec.consumption_event_details;
             CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON mec.consumption_event_details
             FOR EACH ROW EXECUTE FUNCTION mec.let_it()"
        ),
        "DROP TRIGGER append_only ON mec.consumption_event_details;
         CREATE TRIGGER append_only BEFORE DELETE ON mec.consumption_event_details
         FOR EACH ROW EXECUTE FUNCTION mec.refuse_change('it')"
            .to_owned(),
        "DROP TRIGGER append_only ON mec.consumption_event_details;
         CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON mec.consumption_event_details
         FOR EACH ROW WHEN (OLD.detail_key = '') EXECUTE FUNCTION mec.refuse_change('it')"
            .to_owned(),
        "CREATE OR REPLACE FUNCTION mec.refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'"
            .to_owned(),
    ] {
        let database = server.database();
        assert_eq!(problem(&database), None);
        server.psql(&database, &tamper).unwrap();
        let sentence = problem(&database).unwrap_or_default();
        assert!(sentence.contains("guard"), "{tamper}: {sentence}");
    }
}
