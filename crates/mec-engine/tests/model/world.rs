//! The engine under test, over a store that can be closed and opened again.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use mec_core::need::{Loaded, Need};
use mec_core::{Command, Namespace, Timestamp};
use mec_engine::{Engine, EngineConfig, EngineError, Outcome, Request, RisingIds, Target};
use mec_store::memory::MemoryStore;
use mec_store::{Batch, CatalogueDraft, Clock, SeriesQuery, SeriesRow, Store, UsageQuery};
use mec_store_postgres::{PostgresConfig, PostgresStore};
use mec_store_sqlite::{SqliteConfig, SqliteStore};
use tokio::runtime::Runtime;
use uuid::Uuid;

#[derive(Default)]
pub struct HandClock(AtomicI64);

impl HandClock {
    pub fn set(&self, at: Timestamp) {
        self.0.store(at.as_micros(), Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

enum Place {
    Memory(MemoryStore),
    Folder(tempfile::TempDir),
    Database(String),
}

/// What keeps an engine's data.
#[derive(Clone, Copy, Debug)]
#[allow(dead_code, reason = "a test file uses those that it is about")]
pub enum Kept {
    Memory,
    Folder,
    /// In a new database of the tests' own server, whose address is made by this.
    Postgres(fn() -> String),
}

/// What is asked of the engine.
#[derive(Clone)]
pub struct Call {
    pub target: Target,
    pub key: Option<String>,
    pub command: Command,
}

/// Where an engine keeps its data, and whether it can hold it in memory.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    pub kept: Kept,
    /// Whether memory has room for a few accounts only, and others want it, too.
    pub crowded: bool,
}

pub struct World {
    pub clock: Arc<HandClock>,
    runtime: Runtime,
    place: Place,
    setting: Setting,
    engine: Option<Engine>,
}

impl World {
    pub fn new(setting: Setting, start: Timestamp) -> Self {
        let clock = Arc::new(HandClock::default());
        clock.set(start);
        let place = match setting.kept {
            Kept::Folder => Place::Folder(tempfile::tempdir().unwrap()),
            Kept::Memory => Place::Memory(MemoryStore::new(clock.clone(), &mut RisingIds)),
            Kept::Postgres(new_database) => Place::Database(new_database()),
        };
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let mut world = Self {
            runtime: runtime.enable_all().build().unwrap(),
            clock,
            place,
            setting,
            engine: None,
        };
        world.engine = Some(world.open());
        world
    }

    fn open(&self) -> Engine {
        match &self.place {
            Place::Memory(store) => self.start(store.clone()),
            Place::Folder(folder) => self.start(self.open_store(folder)),
            Place::Database(url) => {
                let config = PostgresConfig {
                    clock: Some(self.clock.clone()),
                    ..PostgresConfig::new(url.clone().into())
                };
                let mut ids = RisingIds;
                let store = PostgresStore::open(&config, &mut ids);
                self.start(self.runtime.block_on(store).unwrap())
            }
        }
    }

    fn open_store(&self, folder: &tempfile::TempDir) -> SqliteStore {
        let config = SqliteConfig {
            data_dir: folder.path().to_owned(),
            ..SqliteConfig::default()
        };
        SqliteStore::open(&config, self.clock.clone(), &mut RisingIds).unwrap()
    }

    fn start(&self, store: impl Store) -> Engine {
        let config = EngineConfig {
            max_accounts: if self.setting.crowded { 1 } else { 100_000 },
            ..EngineConfig::default()
        };
        Engine::start(Arc::new(store), self.clock.clone(), RisingIds, config).unwrap()
    }

    /// Closes the engine and opens another on the same data.
    pub fn restart(&mut self) {
        self.close();
        self.engine = Some(self.open());
    }

    pub fn close(&mut self) {
        if let Some(engine) = self.engine.take() {
            self.runtime.block_on(engine.close());
        }
    }

    pub fn call(&self, namespace: &Namespace, call: &Call) -> Result<Outcome, EngineError> {
        let request = request(namespace, call);
        self.runtime.block_on(self.engine().call(request))
    }

    /// Hands in many calls at once.
    pub fn call_all<'c>(
        &self,
        calls: impl Iterator<Item = (&'c Namespace, &'c Call)>,
    ) -> Vec<Result<Outcome, EngineError>> {
        let requests = calls.map(|(namespace, call)| request(namespace, call));
        let answers = self.engine().call_all(requests.collect());
        self.runtime.block_on(answers).unwrap()
    }

    pub fn put_catalogue(&self, namespace: &Namespace, draft: CatalogueDraft) {
        let put = self.engine().put_catalogue(namespace.clone(), draft);
        self.runtime.block_on(put).unwrap();
    }

    pub fn usage(&self, query: UsageQuery) -> i128 {
        self.runtime.block_on(self.engine().usage(query)).unwrap()
    }

    pub fn series(&self, query: SeriesQuery) -> Vec<SeriesRow> {
        self.runtime.block_on(self.engine().series(query)).unwrap()
    }

    /// What the store holds for needs of a tree, where it lets itself be asked beside the engine.
    pub fn stored(&self, namespace: &Namespace, tree: Uuid, needs: &[Need]) -> Option<Vec<Loaded>> {
        match &self.place {
            Place::Memory(store) => Some(self.load(store, namespace, tree, needs)),
            Place::Folder(_) if self.engine.is_some() => None,
            Place::Database(_) => None,
            Place::Folder(folder) => {
                let store = self.open_store(folder);
                Some(self.load(&store, namespace, tree, needs))
            }
        }
    }

    fn load(
        &self,
        store: &impl Store,
        namespace: &Namespace,
        tree: Uuid,
        needs: &[Need],
    ) -> Vec<Loaded> {
        self.runtime.block_on(async {
            let mut batch = store.begin(0, &[], &[]).await.unwrap();
            batch.load(namespace, tree, needs).await.unwrap()
        })
    }

    /// The ledger and the counters on disk must agree.
    pub fn verify(&mut self) {
        self.close();
        if let Place::Folder(folder) = &self.place {
            let report = mec_store_sqlite::verify(folder.path(), &mut |_| {}).unwrap();
            assert_eq!(report.problem, None);
        }
    }

    fn engine(&self) -> &Engine {
        self.engine.as_ref().unwrap()
    }
}

fn request(namespace: &Namespace, call: &Call) -> Request {
    Request {
        namespace: namespace.clone(),
        target: call.target.clone(),
        command: call.command.clone(),
        key: call.key.as_deref().map(Into::into),
        by: "model".into(),
        guard: None,
        request_id: None,
        consistency: Default::default(),
    }
}
