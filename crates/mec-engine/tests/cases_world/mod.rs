//! An engine that the decision tables are played on, over any store. Where data is stored every request
//! is answered by an engine that was just opened, so that nothing is known but what was stored; on
//! PostgreSQL by two engines in turn, each of which has to see what the other one wrote.

#[path = "../../../mec-core/tests/cases/catalogue.rs"]
mod catalogue;
#[path = "../../../mec-core/tests/cases/commands.rs"]
mod commands;

mod summary;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use commands::About;
use mec_cases::{Again, Names, Step, World};
use mec_core::account::AccountStatus;
use mec_core::{Command, Namespace, Timestamp, ops, seed};
use mec_engine::{Consistency, Engine, EngineConfig, EngineError, Request, RisingIds, Target};
use mec_store::memory::MemoryStore;
use mec_store::{CatalogueDraft, Clock};
use mec_store_postgres::{PostgresConfig, PostgresStore};
use mec_store_sqlite::{SqliteConfig, SqliteStore};
use tokio::runtime::Runtime;
use uuid::Uuid;

pub struct Hands(AtomicI64);

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

pub struct Running {
    runtime: Runtime,
    clock: Arc<Hands>,
    engine: Option<Engine>,
    /// Another engine on the same database, which takes the next request.
    peer: Option<Engine>,
    pub place: Place,
    /// Where the row is played: what other rows left stands elsewhere.
    namespace: Namespace,
    keys: u32,
    /// The accounts that are still to be created, all in one batch.
    accounts: Vec<Request>,
}

pub enum Place {
    Memory,
    Folder(tempfile::TempDir),
    Database(PostgresConfig),
}

pub fn running(place: Place) -> Running {
    let start = Timestamp::parse(mec_cases::START).unwrap().as_micros();
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let mut running = Running {
        runtime: runtime.enable_all().build().unwrap(),
        clock: Arc::new(Hands(AtomicI64::new(start))),
        engine: None,
        peer: None,
        place,
        namespace: Namespace::default_namespace(),
        keys: 0,
        accounts: Vec::new(),
    };
    running.open();
    running
}

impl Running {
    fn open(&mut self) {
        let clock = self.clock.clone();
        let config = EngineConfig::default();
        self.engine = Some(match &self.place {
            Place::Memory => {
                let store = Arc::new(MemoryStore::new(clock.clone(), &mut RisingIds));
                Engine::start(store, clock, RisingIds, config).unwrap()
            }
            Place::Database(_) => {
                self.peer = Some(self.node());
                self.node()
            }
            Place::Folder(folder) => {
                let sqlite = SqliteConfig {
                    data_dir: folder.path().to_owned(),
                    ..SqliteConfig::default()
                };
                let store = SqliteStore::open(&sqlite, clock.clone(), &mut RisingIds).unwrap();
                Engine::start(Arc::new(store), clock, RisingIds, config).unwrap()
            }
        });
    }

    /// An engine on the database.
    fn node(&self) -> Engine {
        let Place::Database(config) = &self.place else {
            panic!("the data is in no database");
        };
        let config = PostgresConfig {
            clock: Some(self.clock.clone()),
            ..config.clone()
        };
        let mut ids = RisingIds;
        let store = PostgresStore::open(&config, &mut ids);
        let store = Arc::new(self.runtime.block_on(store).unwrap());
        Engine::start(
            store,
            self.clock.clone(),
            RisingIds,
            EngineConfig::default(),
        )
        .unwrap()
    }

    pub fn close(&mut self) {
        for engine in self.engine.take().into_iter().chain(self.peer.take()) {
            self.runtime.block_on(engine.close());
        }
    }

    fn request(&mut self, target: Target, command: Command) -> Request {
        self.keys += 1;
        Request {
            namespace: self.namespace.clone(),
            target,
            command,
            key: Some(format!("key {}", self.keys).into()),
            by: "tester".into(),
            guard: None,
            request_id: None,
            consistency: Default::default(),
        }
    }

    fn call(&mut self, target: Target, command: Command) -> Result<String, String> {
        let request = self.request(target, command);
        self.answer(request)
    }

    /// A check that has seen everything, whichever engine wrote it.
    fn strong(&mut self, target: Target, command: Command) -> Result<String, String> {
        let mut request = self.request(target, command);
        request.consistency = Consistency::Strong;
        self.answer(request)
    }

    fn answer(&mut self, request: Request) -> Result<String, String> {
        let accounts = std::mem::take(&mut self.accounts);
        let engine = self.engine.as_ref().unwrap();
        if !accounts.is_empty() {
            let created = self.runtime.block_on(engine.call_all(accounts)).unwrap();
            assert!(created.iter().all(Result::is_ok), "{created:?}");
        }
        match self.runtime.block_on(engine.call(request)) {
            Ok(outcome) => Ok(outcome.body),
            Err(EngineError::Refused(refusal)) => Err(refusal.code().to_owned()),
            Err(error) => panic!("{error}"),
        }
    }
}

impl Again for Running {
    /// In a namespace that is new.
    fn begin_again(&mut self) {
        let name = format!("row-{}", Uuid::new_v4());
        self.namespace = Namespace::parse(&name).unwrap();
        self.accounts.clear();
        self.at(mec_cases::START);
    }
}

impl World for Running {
    fn at(&mut self, time: &str) {
        let micros = Timestamp::parse(time).unwrap().as_micros();
        self.clock.0.store(micros, Ordering::SeqCst);
    }

    fn wait(&mut self, seconds: i64) {
        let micros = seconds * Timestamp::MICROS_PER_SECOND;
        self.clock.0.fetch_add(micros, Ordering::SeqCst);
    }

    fn catalogue(&mut self, rules: &[&Step], offers: &[&Step]) -> Vec<String> {
        let draft = CatalogueDraft {
            over: None,
            resource_types: seed::resource_types(),
            plans: catalogue::plans(offers),
            rules: catalogue::rules(rules),
        };
        let rules = draft.rules.iter().map(|rule| rule.rule_id.to_string());
        let ids = rules.collect();
        let engine = self.engine.as_ref().unwrap();
        let put = engine.put_catalogue(self.namespace.clone(), draft);
        self.runtime.block_on(put).unwrap();
        ids
    }

    fn account(&mut self, id: &str, account_type: &str, parent: Option<&str>, zone: Option<&str>) {
        let account_id: Uuid = id.parse().unwrap();
        let parent: Option<Uuid> = parent.map(|parent| parent.parse().unwrap());
        let create = ops::account::CreateAccount {
            account_id,
            account_type: account_type.into(),
            parent,
            external_id: None,
            display_name: None,
            email: None,
            timezone: zone.map(str::to_owned),
            metadata: BTreeMap::new(),
            status: AccountStatus::Active,
        };
        let target = parent.map_or(Target::NewTree(account_id), Target::Account);
        let request = self.request(target, Command::CreateAccount(create));
        self.accounts.push(request);
    }

    fn before_request(&mut self) {
        match &self.place {
            Place::Memory => {}
            Place::Folder(_) => {
                self.close();
                self.open();
            }
            Place::Database(_) => std::mem::swap(&mut self.engine, &mut self.peer),
        }
    }

    fn act(&mut self, step: &Step, names: &Names) -> Result<String, String> {
        let (about, command) = commands::command(step, names);
        let target = match about {
            About::Account(id) => Target::Account(id),
            About::Lease(id) => Target::Lease(id),
            About::Reservation(id) => Target::Reservation(id),
            About::Event(id) => Target::Event(id),
            About::Grant(id) => Target::Grant(id),
        };
        if let Command::Check(check) = &command {
            // The first answer may come from the store; the second comes from memory.
            let first = self.strong(target.clone(), command.clone());
            let again = self.call(target.clone(), command.clone());
            if let Target::Account(account) = target {
                summary::agrees_with_check(self, account, check);
            }
            assert_eq!(first, again, "{step:?}");
            return again;
        }
        self.call(target, command)
    }
}

#[track_caller]
pub fn answers_every_row<W: World>(world: impl Fn() -> W + Sync) {
    let rows = mec_cases::run_all(world).unwrap_or_else(|told| panic!("{told}"));
    assert!(rows >= 150, "{rows} rows");
}

impl Drop for Running {
    fn drop(&mut self) {
        self.close();
    }
}
