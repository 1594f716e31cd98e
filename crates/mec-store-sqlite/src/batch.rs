//! One transaction of the writer. Dropping it rolls back.

use std::sync::Arc;

use mec_core::book::TreeHead;
use mec_core::need::{Loaded, Need};
use mec_core::{Namespace, Timestamp};
use mec_store::{
    Batch, CommitError, CommitSet, KeyRef, KeyState, Locator, Place, StoreError, StoredAnswer,
};
use parking_lot::Mutex;
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use crate::convert::{code, optional_id};
use crate::errors::{commit_error, store_error};
use crate::{Writer, commit, load, sql};

/// One transaction of the embedded store.
pub struct SqliteBatch {
    // Taken only when the batch ends.
    writer: Option<Writer>,
    home: Arc<Mutex<Option<Writer>>>,
    now: Timestamp,
    fencing_epoch: u64,
    keys: Vec<KeyState>,
    is_open: bool,
}

impl SqliteBatch {
    pub(crate) fn begin(
        writer: Writer,
        home: Arc<Mutex<Option<Writer>>>,
        now: Timestamp,
        fencing_epoch: u64,
        keys: &[KeyRef],
    ) -> Result<Self, StoreError> {
        let mut batch = Self {
            writer: Some(writer),
            home,
            now,
            fencing_epoch,
            keys: Vec::with_capacity(keys.len()),
            is_open: false,
        };
        for key in keys {
            let state = key_state(batch.connection()?, key).map_err(store_error)?;
            batch.keys.push(state);
        }
        Ok(batch)
    }

    fn connection(&self) -> Result<&Connection, StoreError> {
        let writer = self.writer.as_ref().map(|writer| &writer.connection);
        writer.ok_or_else(|| StoreError::Internal("the batch has ended".to_owned(), None))
    }
}

impl Drop for SqliteBatch {
    fn drop(&mut self) {
        let Some(mut writer) = self.writer.take() else {
            return;
        };
        if self.is_open {
            writer.counters.clear();
            if let Err(error) = writer.connection.execute_batch("ROLLBACK") {
                // SQLite has rolled back by itself after a full disk or an I/O error.
                tracing::debug!(%error, "nothing was left to roll back");
            }
        }
        *self.home.lock() = Some(writer);
    }
}

impl Batch for SqliteBatch {
    fn now(&self) -> Timestamp {
        self.now
    }

    fn keys(&self) -> &[KeyState] {
        &self.keys
    }

    async fn locate(
        &mut self,
        namespace: &Namespace,
        locators: &[Locator],
    ) -> Result<Vec<Option<Place>>, StoreError> {
        let connection = self.connection()?;
        locators
            .iter()
            .map(|locator| load::locate(connection, namespace, locator).map_err(store_error))
            .collect()
    }

    async fn head(
        &mut self,
        namespace: &Namespace,
        tree: Uuid,
    ) -> Result<Option<TreeHead>, StoreError> {
        load::head(self.connection()?, namespace, tree).map_err(store_error)
    }

    fn fencing_epoch(&self) -> u64 {
        self.fencing_epoch
    }

    async fn load(
        &mut self,
        namespace: &Namespace,
        tree: Uuid,
        needs: &[Need],
    ) -> Result<Vec<Loaded>, StoreError> {
        let connection = self.connection()?;
        needs
            .iter()
            .map(|need| {
                load::load(connection, namespace, tree, need, self.now).map_err(store_error)
            })
            .collect()
    }

    async fn commit(mut self, changes: CommitSet) -> Result<(), CommitError> {
        let Some(writer) = self.writer.as_mut() else {
            return Err(StoreError::Internal("the batch has ended".to_owned(), None).into());
        };
        writer
            .connection
            .execute_batch("BEGIN IMMEDIATE")
            .map_err(|error| commit_error(error, None))?;
        self.is_open = true;
        commit::write(&writer.connection, &mut writer.counters, &changes, self.now)?;
        writer
            .connection
            .execute_batch("COMMIT")
            .map_err(|error| commit_error(error, None))?;
        self.is_open = false;
        Ok(())
    }
}

fn key_state(connection: &Connection, key: &KeyRef) -> rusqlite::Result<KeyState> {
    let mut statement = connection.prepare_cached(sql::KEY_SELECT_BY_HASH)?;
    let values = params![key.namespace.as_str(), key.hash.to_be_bytes()];
    let stored = |row: &rusqlite::Row<'_>| {
        Ok(StoredAnswer {
            rpc: code(row, 0)?,
            args_hash: row.get(1)?,
            event_id: optional_id(row, 2)?,
            answer: row.get(3)?,
        })
    };
    Ok(statement
        .query_row(values, stored)
        .optional()?
        .map_or(KeyState::Free, KeyState::Taken))
}
