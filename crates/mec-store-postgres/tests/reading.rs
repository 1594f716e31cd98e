//! Connections that read are shared by all callers, also after one of them has gone away.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use mec_core::{IdSource, Namespace};
use mec_store::Store;
use mec_store_postgres::{PostgresConfig, PostgresStore};
use mec_test_postgres::Server;
use uuid::Uuid;

struct Ids;

impl IdSource for Ids {
    fn next_id(&mut self) -> Uuid {
        Uuid::new_v4()
    }
}

/// So long a read that is held up is waited for, before its caller goes away.
const PATIENCE: Duration = Duration::from_millis(200);

#[test]
fn a_read_that_is_given_up_leaves_its_connection_as_it_was() {
    let server = Server::shared();
    let database = server.database();
    let mut session = server.session(&database).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut config = PostgresConfig::new(server.url("mec_engine", &database).into());
    config.readers = 1;
    runtime.block_on(async {
        let store = PostgresStore::open(&config, &mut Ids).await.unwrap();
        let namespace = Namespace::default_namespace();
        let begin = store.moved(None).await.unwrap().cursor;
        session.say("BEGIN; LOCK TABLE mec.plans").unwrap();
        let read = tokio::time::timeout(PATIENCE, store.catalogue(&namespace, None)).await;
        assert!(read.is_err(), "the lock held nobody up");
        session.say("ROLLBACK").unwrap();
        // In a transaction that was left open these would see the past, and could not clean up.
        store.moved(Some(begin.clone())).await.unwrap();
        session
            .say("UPDATE mec.catalogue_versions SET version = version + 1, xid = pg_current_xact_id()")
            .unwrap();
        let moved = store.moved(Some(begin)).await.unwrap();
        assert!(!moved.catalogues.is_empty() || moved.lookups.is_some());
    });
}
