//! What every store must do, done by this one.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::Arc;

use mec_store::conformance::{TestClock, TestIds, given};
use mec_store_sqlite::{SqliteConfig, SqliteStore};

/// Runs a case on a new store.
fn with(case: impl AsyncFnOnce(&SqliteStore, &TestClock)) {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(TestClock::at(given::NOW));
    let config = SqliteConfig {
        data_dir: folder.path().into(),
        ..SqliteConfig::default()
    };
    let store = SqliteStore::open(&config, clock.clone(), &mut TestIds::default()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(case(&store, &clock));
}

mec_store::conformance_tests!(with);
