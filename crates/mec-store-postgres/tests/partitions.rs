//! The ledger's partitions are made ahead by whoever uses the database.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::Arc;

use mec_core::IdSource;
use mec_store::Store;
use mec_store::conformance::{TestClock, TestIds, given};
use mec_store_postgres::{PostgresConfig, PostgresStore};
use mec_test_postgres::Server;

const COUNT: &str =
    "SELECT count(*) FROM pg_inherits WHERE inhparent = 'mec.consumption_ledger'::regclass";
/// Takes the partition of the month after next away.
const DROP_ONE: &str = r"
    SELECT format('DROP TABLE mec.consumption_ledger_%s',
        to_char(now() AT TIME ZONE 'UTC' + interval '2 months', 'YYYY_MM')) \gexec";

fn run<T>(work: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().unwrap().block_on(work)
}

async fn open(database: &str, clock: Arc<TestClock>) -> PostgresStore {
    let url = Server::shared().url("mec_engine", database);
    let config = PostgresConfig {
        clock: Some(clock),
        ..PostgresConfig::new(url.into())
    };
    let mut ids = TestIds::default();
    PostgresStore::open(&config, &mut ids).await.unwrap()
}

#[test]
fn partitions_are_made_when_a_store_opens_and_once_a_day_after_that() {
    let server = Server::shared();
    let database = server.database();
    let count = || server.psql(&database, COUNT).unwrap();
    // This month, twelve ahead, and the last one.
    assert_eq!(count(), "14");
    server.psql(&database, DROP_ONE).unwrap();
    assert_eq!(count(), "13");
    run(async {
        let clock = Arc::new(TestClock::at(given::NOW));
        let store = open(&database, clock.clone()).await;
        assert_eq!(count(), "14", "opening makes what is missing");

        server.psql(&database, DROP_ONE).unwrap();
        store.moved(None).await.unwrap();
        assert_eq!(count(), "13", "the day's look was taken");
        clock.set(given::seconds_later(86_400));
        store.moved(None).await.unwrap();
        assert_eq!(count(), "14", "a new day makes what is missing");
    });
}

#[test]
fn a_store_opens_also_where_partitions_cannot_be_made() {
    let server = Server::shared();
    let database = server.database();
    let refuse = "REVOKE EXECUTE ON FUNCTION mec.make_ledger_partitions FROM mec_engine";
    server.psql(&database, refuse).unwrap();
    run(async {
        let store = open(&database, Arc::new(TestClock::at(given::NOW))).await;
        store.health().await.unwrap();
    });
}

#[test]
fn rows_in_the_last_partition_do_not_stop_the_others() {
    let server = Server::shared();
    let database = server.database();
    server.psql(&database, DROP_ONE).unwrap();
    let micros = "SELECT (extract(epoch FROM date_trunc('month', now()) + interval '2 months 3 days') * 1000)::bigint";
    let millis: u128 = server.psql(&database, micros).unwrap().parse().unwrap();
    let event = uuid::Uuid::from_u128(millis << 80);
    let account = TestIds::default().next_id();
    let row = format!(
        "INSERT INTO mec.accounts (namespace_id, account_id, account_type_code, owner_account_id, metadata, status,
            created_at, updated_at) VALUES ('n', '{account}', 'user', '{account}', '{{}}', 'active', now(), now());
         INSERT INTO mec.consumption_ledger (namespace_id, event_id, account_id, resource_type_code, quantity,
            unit_code, occurred_at, is_correction, created_at, owner_account_id, recorded_under, chain_id, chain_seq,
            chain_hash)
         VALUES ('n', '{event}', '{account}', 'r', 1, 'count', now(), false, now(), '{account}', '{{}}', '{account}',
            1, decode(repeat('00', 32), 'hex'));"
    );
    let lookups = "INSERT INTO mec.account_types VALUES ('user', '', false);
        INSERT INTO mec.units VALUES ('count', '', '', 0, 'count', 1);";
    server.psql(&database, lookups).unwrap();
    server.psql(&database, &row).unwrap();
    let made = server
        .psql(&database, "SELECT mec.make_ledger_partitions(14)")
        .unwrap();
    assert_eq!(made, "2", "the two months beyond those that were there");
    let whose =
        format!("SELECT tableoid::regclass FROM mec.consumption_ledger WHERE event_id = '{event}'");
    let whose = server.psql(&database, &whose).unwrap();
    assert_eq!(whose, "mec.consumption_ledger_rest");
}
