//! The suite that every store passes, each case on a database of its own.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::Arc;

use mec_store::conformance::{TestClock, TestIds, given};
use mec_store_postgres::{PostgresConfig, PostgresStore};
use mec_test_postgres::Server;

/// Runs a case as the service's own role.
fn with(case: impl AsyncFnOnce(&PostgresStore, &TestClock)) {
    let server = Server::shared();
    let clock = Arc::new(TestClock::at(given::NOW));
    let url = server.url("mec_engine", &server.database());
    let config = PostgresConfig {
        clock: Some(clock.clone()),
        ..PostgresConfig::new(url.into())
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let store = PostgresStore::open(&config, &mut TestIds::default())
            .await
            .unwrap();
        case(&store, &clock).await;
    });
}

mec_store::conformance_tests!(with);
