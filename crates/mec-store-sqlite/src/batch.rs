//! One transaction of the writer. Dropping it without a commit leaves no trace.

use std::sync::Arc;

use mec_core::book::TreeHead;
use mec_core::need::{Loaded, Need};
use mec_core::{Namespace, Timestamp};
use mec_store::{
    Batch, CatalogueAge, Clock, CommitError, CommitSet, KeyRef, KeyState, Locator, Place,
    StoreError, StoredAnswer, TreeRef,
};
use rusqlite::{Connection, ErrorCode, Row, params};
use uuid::Uuid;

use crate::convert::{code, optional_id};
use crate::error::store_error;
use crate::values::first;
use crate::writer::{Slot, Taken};
use crate::{catalogue, commit, load, locate, lookups, sql};

/// One transaction of the embedded store. The lock it begins with is SQLite's own, so that nothing
/// it reads can change before it commits, even by a program that does not know of the folder's lock.
#[derive(Debug)]
pub struct SqliteBatch {
    taken: Taken,
    now: Timestamp,
    fencing_epoch: u64,
    heads: Vec<Option<TreeHead>>,
    keys: Vec<KeyState>,
}

impl SqliteBatch {
    pub(crate) fn begin(
        slot: &Arc<Slot>,
        clock: &dyn Clock,
        fencing_epoch: u64,
        trees: &[TreeRef],
        keys: &[KeyRef],
    ) -> Result<Self, StoreError> {
        let taken = slot.take()?;
        let connection = taken.connection()?;
        open_transaction(connection).map_err(store_error)?;
        let heads: rusqlite::Result<Vec<Option<TreeHead>>> = trees
            .iter()
            .map(|of| load::head(connection, &of.namespace, of.tree))
            .collect();
        let heads = heads.map_err(store_error)?;
        let states: rusqlite::Result<Vec<KeyState>> =
            keys.iter().map(|key| key_state(connection, key)).collect();
        let keys = states.map_err(store_error)?;
        Ok(Self {
            taken,
            now: clock.now(),
            fencing_epoch,
            heads,
            keys,
        })
    }
}

impl Batch for SqliteBatch {
    fn now(&self) -> Timestamp {
        self.now
    }

    fn heads(&self) -> &[Option<TreeHead>] {
        &self.heads
    }

    fn keys(&self) -> &[KeyState] {
        &self.keys
    }

    async fn catalogue_age(&mut self, namespace: &Namespace) -> Result<CatalogueAge, StoreError> {
        let connection = self.taken.connection()?;
        let read = || -> rusqlite::Result<CatalogueAge> {
            Ok(CatalogueAge {
                version: catalogue::version(connection, namespace)?,
                lookups: lookups::version(connection)?,
            })
        };
        read().map_err(store_error)
    }

    async fn locate(
        &mut self,
        namespace: &Namespace,
        locators: &[Locator],
    ) -> Result<Vec<Option<Place>>, StoreError> {
        let connection = self.taken.connection()?;
        locators
            .iter()
            .map(|locator| locate::locate(connection, namespace, locator).map_err(store_error))
            .collect()
    }

    async fn head(
        &mut self,
        namespace: &Namespace,
        tree: Uuid,
    ) -> Result<Option<TreeHead>, StoreError> {
        load::head(self.taken.connection()?, namespace, tree).map_err(store_error)
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
        let connection = self.taken.connection()?;
        needs
            .iter()
            .map(|need| {
                load::load(connection, namespace, tree, need, self.now).map_err(store_error)
            })
            .collect()
    }

    async fn commit(mut self, changes: CommitSet) -> Result<(), CommitError> {
        let writer = self.taken.writer()?;
        commit::write(writer, &changes)?;
        writer.conn.execute_batch("COMMIT").map_err(store_error)?;
        writer.counters.keep_new();
        Ok(())
    }
}

/// A database that cannot be written to can still be read, for answers that change nothing; the
/// commit then says so.
fn open_transaction(connection: &Connection) -> rusqlite::Result<()> {
    match connection.execute_batch("BEGIN IMMEDIATE") {
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::ReadOnly) => {
            connection.execute_batch("BEGIN")
        }
        opened => opened,
    }
}

fn key_state(connection: &Connection, key: &KeyRef) -> rusqlite::Result<KeyState> {
    let stored = |row: &Row<'_>| {
        Ok(StoredAnswer {
            rpc: code(row, 0)?,
            args_hash: row.get(1)?,
            event_id: optional_id(row, 2)?,
            answer: row.get(3)?,
        })
    };
    let of = params![key.namespace.as_str(), key.hash.to_be_bytes()];
    Ok(first(connection, sql::KEY_SELECT_BY_HASH, of, stored)?
        .map_or(KeyState::Free, KeyState::Taken))
}
