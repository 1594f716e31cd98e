//! Tests of what cannot be brought about from outside.

use std::sync::Arc;

use mec_core::{IdSource, Timestamp};
use mec_store::{Batch, Clock, CommitError, CommitSet, KeyRow, Store, StoreError, StoredAnswer};
use uuid::Uuid;

use crate::{SqliteConfig, SqliteStore};

struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(0)
    }
}

struct Ids(u128);

impl IdSource for Ids {
    fn next_id(&mut self) -> Uuid {
        self.0 += 1;
        Uuid::from_u128(self.0)
    }
}

fn set() -> CommitSet {
    let stored = StoredAnswer {
        rpc: "consume".into(),
        args_hash: [7; 32],
        event_id: None,
        answer: Some("{}".to_owned()),
    };
    let namespace = mec_core::Namespace::default_namespace();
    let key = KeyRow {
        command: 0,
        namespace,
        key: "k".into(),
        stored,
        created_at: Timestamp::from_micros(0),
    };
    CommitSet {
        keys: vec![key],
        ..CommitSet::default()
    }
}

#[tokio::test]
async fn a_database_that_cannot_be_written_to_is_unavailable_until_it_can() {
    let dir = tempfile::tempdir().unwrap();
    let config = SqliteConfig {
        data_dir: dir.path().to_owned(),
        ..SqliteConfig::default()
    };
    let store = SqliteStore::open(&config, Arc::new(Still), &mut Ids(0)).unwrap();
    let read_only = |on: bool| {
        let mut taken = store.slot().take().unwrap();
        taken
            .writer()
            .unwrap()
            .conn
            .pragma_update(None, "query_only", on)
            .unwrap();
    };
    read_only(true);
    assert!(matches!(
        store.health().await,
        Err(StoreError::Unavailable(..))
    ));
    let batch = store.begin(0, &[], &[]).await.unwrap();
    let error = batch.commit(set()).await.unwrap_err();
    assert!(
        matches!(error, CommitError::NotDone(StoreError::Unavailable(..))),
        "{error}"
    );
    // Reads go on meanwhile.
    store.lookups().await.unwrap();
    read_only(false);
    store.health().await.unwrap();
    store
        .begin(0, &[], &[])
        .await
        .unwrap()
        .commit(set())
        .await
        .unwrap();
}
