//! One transaction of a lane. Dropping it without a commit leaves no trace.

use std::sync::Arc;

use futures_util::join;
use mec_core::book::TreeHead;
use mec_core::need::{Loaded, Need};
use mec_core::{Namespace, Timestamp};
use mec_store::{
    Batch, CatalogueAge, CommitError, CommitSet, KeyRef, KeyState, Locator, Place, StoreError,
    StoredAnswer, TreeRef,
};
use rustc_hash::{FxHashMap, FxHashSet};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::commit::{self, Stopped};
use crate::connection::{Connection, Value};
use crate::error::Fault;
use crate::lane::Lane;
use crate::values::Columns;
use crate::{catalogue, convert, load, locate, sql};

/// One transaction of the store on PostgreSQL. Its trees are locked, and its lane's row in `writers`
/// bears its id, by which a commit that was not answered is settled. Its keys are looked up after the
/// locks and written with the commit: one that another tree's batch has written by then ends this one,
/// which is done anew.
pub struct PostgresBatch {
    lane: Arc<Lane>,
    // None once it was given back to its lane.
    connection: Option<Connection>,
    id: Uuid,
    now: Timestamp,
    heads: Vec<Option<TreeHead>>,
    locked: FxHashMap<TreeRef, TreeHead>,
    keys: Vec<KeyState>,
    ages: FxHashMap<Namespace, CatalogueAge>,
    fencing_epoch: u64,
}

impl PostgresBatch {
    pub(crate) async fn begin(
        lane: &Arc<Lane>,
        trees: &[TreeRef],
        keys: &[KeyRef],
        fencing_epoch: u64,
    ) -> Result<Self, StoreError> {
        let connection = lane.take().await?;
        let mut batch = Self {
            lane: lane.clone(),
            connection: Some(connection),
            id: Uuid::new_v4(),
            now: Timestamp::MIN,
            heads: Vec::new(),
            locked: FxHashMap::default(),
            keys: Vec::new(),
            ages: FxHashMap::default(),
            fencing_epoch,
        };
        batch.open(trees, keys).await?;
        Ok(batch)
    }

    /// Everything that a batch begins with is sent at once. Each statement sees what was committed
    /// before it began, so that the clock is read after the locks were granted, and keys after that.
    async fn open(&mut self, trees: &[TreeRef], keys: &[KeyRef]) -> Result<(), Fault> {
        let connection = held(&self.connection)?;
        let tree_namespaces: Vec<&str> = trees.iter().map(|of| of.namespace.as_str()).collect();
        let tree_ids: Vec<Uuid> = trees.iter().map(|of| of.tree).collect();
        let namespaces: Vec<Namespace> = trees
            .iter()
            .map(|of| &of.namespace)
            .chain(keys.iter().map(|key| &key.namespace))
            .collect::<FxHashSet<_>>()
            .into_iter()
            .cloned()
            .collect();
        let named: Vec<&str> = namespaces.iter().map(Namespace::as_str).collect();
        let asked: Vec<&KeyRef> = keys.iter().collect::<FxHashSet<_>>().into_iter().collect();
        let key_namespaces: Vec<&str> = asked.iter().map(|key| key.namespace.as_str()).collect();
        let hashes: Vec<Vec<u8>> = asked
            .iter()
            .map(|key| key.hash.to_be_bytes().to_vec())
            .collect();
        let lock = connection.statement(sql::TREE_LOCK_BY_ID).await?;
        let clock = connection
            .statement(sql::CATALOGUE_VERSION_SELECT_BY_NAMESPACE)
            .await?;
        let look_up = connection.statement(sql::KEY_SELECT_BY_HASH).await?;
        let mark = connection.statement(sql::WRITER_MARK_BY_ID).await?;
        let client = &connection.client;
        let of_trees: [Value<'_>; 2] = [&tree_namespaces, &tree_ids];
        let of_namespaces: [Value<'_>; 1] = [&named];
        let of_keys: [Value<'_>; 2] = [&key_namespaces, &hashes];
        let of_writer: [Value<'_>; 2] = [&self.lane.writer, &self.id];
        let (begun, locked, told, taken, marked) = join!(
            client.batch_execute("BEGIN"),
            client.query(&lock, &of_trees),
            client.query_one(&clock, &of_namespaces),
            client.query(&look_up, &of_keys),
            client.execute(&mark, &of_writer),
        );
        // The first of them that failed says why.
        begun?;
        let (locked, told, taken) = (locked?, told?, taken?);
        if marked? == 0 {
            self.lane.make_row(connection, self.id).await?;
        }
        for row in &locked {
            let namespace = row.namespace(0)?;
            let head = convert::head(row, 1)?;
            let tree = head.tree_id;
            self.locked.insert(TreeRef { namespace, tree }, head);
        }
        self.heads = trees
            .iter()
            .map(|of| self.locked.get(of).cloned())
            .collect();
        self.now = match self.lane.clock() {
            Some(clock) => clock.now(),
            None => told.at(0)?,
        };
        let ages = catalogue::ages(&told)?;
        self.ages = namespaces.into_iter().zip(ages).collect();
        let taken: FxHashMap<KeyRef, StoredAnswer> =
            taken.iter().map(taken_key).collect::<Result<_, Fault>>()?;
        let state = |key| taken.get(key).cloned();
        self.keys = keys
            .iter()
            .map(|key| state(key).map_or(KeyState::Free, KeyState::Taken))
            .collect();
        Ok(())
    }

    async fn write(&mut self, changes: &CommitSet) -> Result<(), Stopped> {
        let connection = held(&self.connection).map_err(Stopped::Fault)?;
        commit::write(connection, changes, self.lane.writer).await
    }
}

fn held(connection: &Option<Connection>) -> Result<&Connection, Fault> {
    let gone = || StoreError::Internal("the batch has ended".to_owned(), None).into();
    connection.as_ref().ok_or_else(gone)
}

fn taken_key(row: &Row) -> Result<(KeyRef, StoredAnswer), Fault> {
    let key = KeyRef {
        namespace: row.namespace(0)?,
        hash: hash(row.read(1)?)?,
    };
    let stored = StoredAnswer {
        rpc: row.code(2)?,
        args_hash: row.hash(3)?,
        event_id: row.read(4)?,
        answer: row.read(5)?,
    };
    Ok((key, stored))
}

fn hash(bytes: &[u8]) -> Result<u128, Fault> {
    let bytes = bytes.try_into();
    let bytes = bytes.map_err(|_| Fault::damaged("a key's hash has not 16 bytes".to_owned()))?;
    Ok(u128::from_be_bytes(bytes))
}

impl Batch for PostgresBatch {
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
        if let Some(age) = self.ages.get(namespace) {
            return Ok(*age);
        }
        let age = catalogue::age(held(&self.connection)?, namespace).await?;
        self.ages.insert(namespace.clone(), age);
        Ok(age)
    }

    async fn locate(
        &mut self,
        namespace: &Namespace,
        locators: &[Locator],
    ) -> Result<Vec<Option<Place>>, StoreError> {
        let references = locators
            .iter()
            .map(|locator| (namespace.clone(), locator.clone()));
        let references: Vec<_> = references.collect();
        Ok(locate::locate(held(&self.connection)?, &references).await?)
    }

    async fn head(
        &mut self,
        namespace: &Namespace,
        tree: Uuid,
    ) -> Result<Option<TreeHead>, StoreError> {
        let of = TreeRef {
            namespace: namespace.clone(),
            tree,
        };
        if let Some(head) = self.locked.get(&of) {
            return Ok(Some(head.clone()));
        }
        let (namespaces, trees) = (vec![namespace.as_str()], vec![tree]);
        let wanted: [Value<'_>; 2] = [&namespaces, &trees];
        let row = held(&self.connection)?
            .first(sql::TREE_LOCK_BY_ID, &wanted)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let head = convert::head(&row, 1)?;
        self.locked.insert(of, head.clone());
        Ok(Some(head))
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
        let connection = held(&self.connection)?;
        let mut loaded = Vec::with_capacity(needs.len());
        for need in needs {
            loaded.push(load::load(connection, namespace, tree, need, self.now).await?);
        }
        Ok(loaded)
    }

    async fn commit(mut self, changes: CommitSet) -> Result<(), CommitError> {
        let written = self.write(&changes).await;
        match written {
            Ok(()) => {
                if let Some(connection) = self.connection.take() {
                    self.lane.give(connection);
                }
                Ok(())
            }
            // Nothing was sent that would commit.
            Err(Stopped::Commit(error)) => Err(error),
            Err(Stopped::Fault(fault)) if fault.is_lost() => {
                drop(self.connection.take());
                match self.lane.settle(self.id).await {
                    Some(true) => Ok(()),
                    Some(false) => Err(fault.into()),
                    None => Err(CommitError::InDoubt(fault.into())),
                }
            }
            Err(Stopped::Fault(fault)) => Err(fault.into()),
        }
    }
}

impl Drop for PostgresBatch {
    /// Whatever was done is undone.
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            connection.undo();
            self.lane.give(connection);
        }
    }
}
