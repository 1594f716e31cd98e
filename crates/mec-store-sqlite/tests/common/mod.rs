//! A store in a folder of its own, a clock that is set by hand, and histories to write into it.
#![allow(dead_code, reason = "every test file uses its own part of this")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use mec_core::account::{Account, AccountStatus};
use mec_core::book::{PartRows, TreeHead};
use mec_core::chain::event_hash;
use mec_core::change::Change;
use mec_core::ledger::{Details, Event};
use mec_core::need::{Loaded, Need};
use mec_core::{Code, IdSource, Namespace, Quantity, Timestamp};
use mec_store::{Batch, Clock, CommitError, CommitSet, Store, TreeCommit};
use mec_store_sqlite::{SqliteConfig, SqliteStore};
use rusqlite::Connection;
use uuid::Uuid;

pub struct TestClock(AtomicI64);

impl TestClock {
    pub fn at(text: &str) -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(time(text).as_micros())))
    }

    pub fn set(&self, text: &str) {
        self.0.store(time(text).as_micros(), Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

pub struct Ids(u128);

impl IdSource for Ids {
    fn next_id(&mut self) -> Uuid {
        self.0 += 1;
        Uuid::from_u128(self.0)
    }
}

pub fn time(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

pub fn code(text: &str) -> Code {
    text.into()
}

pub fn namespace() -> Namespace {
    Namespace::default_namespace()
}

/// An amount in the base unit.
pub fn whole(amount: i64) -> i128 {
    Quantity::from_int(amount).micros()
}

pub struct World {
    pub dir: tempfile::TempDir,
    pub clock: Arc<TestClock>,
    pub ids: Ids,
}

impl World {
    pub fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            clock: TestClock::at("2026-05-04T10:00:00Z"),
            ids: Ids(1 << 64),
        }
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn open(&mut self) -> SqliteStore {
        self.open_with(None).unwrap()
    }

    pub fn open_with(
        &mut self,
        max_size_bytes: Option<u64>,
    ) -> Result<SqliteStore, mec_store::StoreError> {
        let config = SqliteConfig {
            data_dir: self.path().to_owned(),
            max_size_bytes,
            ..SqliteConfig::default()
        };
        SqliteStore::open(&config, self.clock.clone(), &mut self.ids)
    }

    /// A connection past the store, to look and to tamper.
    pub fn raw(&self) -> Connection {
        Connection::open(self.path().join("mec.db")).unwrap()
    }

    pub fn id(&mut self) -> Uuid {
        self.ids.next_id()
    }
}

/// A tree as the engine would carry it from batch to batch.
pub struct Tree {
    pub head: TreeHead,
    pub is_new: bool,
}

impl Tree {
    pub fn new(owner: Uuid) -> Self {
        Self {
            head: TreeHead::new(owner, 0),
            is_new: true,
        }
    }

    /// Commits changes as the one command of a batch.
    pub async fn commit(
        &mut self,
        store: &SqliteStore,
        changes: Vec<Change>,
    ) -> Result<(), CommitError> {
        self.commit_many(store, vec![changes]).await
    }

    /// Commits the changes of several commands as one batch.
    pub async fn commit_many(
        &mut self,
        store: &SqliteStore,
        commands: Vec<Vec<Change>>,
    ) -> Result<(), CommitError> {
        let mut head = self.head.clone();
        let batch = store.begin(0, &[], &[]).await?;
        let changes: Vec<(usize, Change)> = commands
            .into_iter()
            .enumerate()
            .flat_map(|(index, changes)| changes.into_iter().map(move |c| (index, c)))
            .collect();
        for (_, change) in &changes {
            if let Change::EventRecorded { event, .. } = change {
                (head.chain_seq, head.chain_hash) = (event.chain_seq, event.chain_hash);
            }
        }
        head.version += 1;
        head.last_at = batch.now();
        let tree = TreeCommit {
            namespace: namespace(),
            head: head.clone(),
            is_new: self.is_new,
            changes,
        };
        batch
            .commit(CommitSet {
                trees: vec![tree],
                ..CommitSet::default()
            })
            .await?;
        (self.head, self.is_new) = (head, false);
        Ok(())
    }

    /// An event of an account and the changes of the counters it counts at.
    pub fn event(
        &mut self,
        id: Uuid,
        levels: &[Uuid],
        resource: &str,
        scope: Option<&str>,
        quantity: i64,
        at: &str,
    ) -> Vec<Change> {
        let mut event = Event {
            event_id: id,
            idempotency_key: None,
            namespace_id: namespace(),
            account_id: levels[0],
            resource_type_code: code(resource),
            resource_scope: scope.map(code),
            quantity: Quantity::from_int(quantity),
            unit_code: code("count"),
            occurred_at: time(at),
            period_start: None,
            period_end: None,
            corrects_event_id: None,
            created_at: time(at),
            owner_account_id: self.head.tree_id,
            recorded_under: levels[1..].to_vec(),
            chain_id: self.head.chain_id,
            chain_seq: self.head.chain_seq + 1,
            chain_hash: [0; 32],
            details: Details::from([(
                "region".to_owned(),
                if quantity > 5 { "eu" } else { "us" }.to_owned(),
            )]),
        };
        event.chain_hash = event_hash(&self.head.chain_hash, &event);
        // The next event of the same batch follows this one.
        (self.head.chain_seq, self.head.chain_hash) = (event.chain_seq, event.chain_hash);
        let mut changes: Vec<Change> = levels
            .iter()
            .map(|level| Change::UsageAdded {
                level: *level,
                resource: code(resource),
                scope: scope.map(code),
                drawn_for: None,
                bucket: event.occurred_at.floor_minute(),
                amount: whole(quantity),
            })
            .collect();
        changes.push(Change::EventRecorded {
            event: Arc::new(event),
            amount: whole(quantity),
        });
        changes
    }
}

pub fn account(id: Uuid, parent: Option<Uuid>, at: &str) -> Account {
    Account {
        account_id: id,
        account_type_code: code(if parent.is_some() {
            "team"
        } else {
            "organization"
        }),
        parent_account_id: parent,
        external_id: Some(format!("ext-{id}")),
        display_name: Some("Ann \u{1F9EA}".to_owned()),
        email: None,
        timezone: Some("Europe/Berlin".to_owned()),
        metadata: BTreeMap::from([("k".to_owned(), "v\"".to_owned())]),
        status: AccountStatus::Active,
        created_at: time(at),
        updated_at: time(at),
    }
}

pub fn created(account: Account) -> Change {
    Change::AccountCreated(Arc::new(account))
}

/// A tree of an owner with an account below it, and both ids.
pub async fn planted(world: &mut World, store: &SqliteStore) -> (Tree, Uuid, Uuid) {
    let (owner, child) = (world.id(), world.id());
    let mut tree = Tree::new(owner);
    let now = "2026-05-04T10:00:00Z";
    let changes = vec![
        created(account(owner, None, now)),
        created(account(child, Some(owner), now)),
    ];
    tree.commit(store, changes).await.unwrap();
    (tree, owner, child)
}

pub async fn load(store: &SqliteStore, tree: Uuid, need: Need) -> Loaded {
    let mut batch = store.begin(0, &[], &[]).await.unwrap();
    let mut loaded = batch.load(&namespace(), tree, &[need]).await.unwrap();
    loaded.pop().unwrap()
}

/// The moment at which most histories begin.
pub const NOW: &str = "2026-05-04T10:00:00Z";

pub async fn part(store: &SqliteStore, tree: Uuid, account: Uuid) -> PartRows {
    match load(store, tree, Need::Part(account)).await {
        Loaded::Part(Some(rows)) => *rows,
        other => panic!("{other:?}"),
    }
}
