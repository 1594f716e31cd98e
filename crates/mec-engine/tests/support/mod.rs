//! A world for the stories: an engine on the embedded store, by a clock that the test moves.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    dead_code,
    reason = "each test file uses a part of it"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use mec_core::account::AccountStatus;
use mec_core::ops;
use mec_core::{Command, Namespace, Quantity, Timestamp};
use mec_engine::{Engine, EngineConfig, EngineError, Outcome, Request, RisingIds, Target};
use mec_store::Clock;
use mec_store_sqlite::{SqliteConfig, SqliteStore};
use serde_json::Value;
use uuid::Uuid;

pub struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

pub struct World {
    pub clock: Arc<TestClock>,
    pub engine: Engine,
    pub dir: tempfile::TempDir,
    config: EngineConfig,
}

fn open(dir: &Path, clock: Arc<TestClock>, engine: &EngineConfig) -> Engine {
    let config = SqliteConfig {
        data_dir: dir.to_owned(),
        ..SqliteConfig::default()
    };
    let store = Arc::new(SqliteStore::open(&config, clock.clone(), &mut RisingIds).unwrap());
    Engine::start(store, clock, RisingIds, engine.clone()).unwrap()
}

impl World {
    pub fn new() -> Self {
        Self::with(EngineConfig::default())
    }

    pub fn with(config: EngineConfig) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(TestClock(AtomicI64::new(
            Timestamp::parse("2026-11-24T10:00:00Z")
                .unwrap()
                .as_micros(),
        )));
        Self {
            engine: open(dir.path(), clock.clone(), &config),
            config,
            clock,
            dir,
        }
    }

    pub async fn restart(mut self) -> Self {
        self.engine.close().await;
        // The folder's lock goes with the old engine's store.
        let clock = self.clock.clone();
        let dir = self.dir;
        drop(self.engine);
        self.engine = open(dir.path(), clock, &self.config);
        self.dir = dir;
        self
    }

    pub fn pass(&self, seconds: i64) {
        self.clock
            .0
            .fetch_add(seconds * Timestamp::MICROS_PER_SECOND, Ordering::SeqCst);
    }

    pub async fn call(
        &self,
        target: Target,
        key: Option<&str>,
        command: Command,
    ) -> Result<Outcome, EngineError> {
        let request = Request {
            namespace: Namespace::default_namespace(),
            target,
            command,
            key: key.map(Into::into),
            by: "test".into(),
            guard: None,
            request_id: None,
            consistency: Default::default(),
        };
        self.engine.call(request).await
    }

    pub async fn account(&self, parent: Option<Uuid>, account_type: &str) -> Uuid {
        let account_id = Uuid::now_v7();
        let create = ops::account::CreateAccount {
            account_id,
            account_type: account_type.into(),
            parent,
            external_id: None,
            display_name: None,
            email: None,
            timezone: None,
            metadata: BTreeMap::new(),
            status: AccountStatus::Active,
        };
        let target = parent.map_or(Target::NewTree(account_id), Target::Account);
        self.call(target, None, Command::CreateAccount(create))
            .await
            .unwrap();
        account_id
    }

    pub async fn provision(&self, account: Uuid, plan: &str) -> String {
        let provision = ops::provision::Provision {
            plan_id: plan.into(),
            start: None,
            quantity: None,
        };
        self.call(
            Target::Account(account),
            None,
            Command::ProvisionPlan(provision),
        )
        .await
        .unwrap()
        .body
    }

    pub async fn check(&self, account: Uuid, resource: &str) -> Value {
        let check = ops::check::Check {
            resource: resource.into(),
            scope: None,
            quantity: Quantity::ONE,
            unit: None,
            context: BTreeMap::new(),
            explain: false,
        };
        json(
            &self
                .call(Target::Account(account), None, Command::Check(check))
                .await
                .unwrap(),
        )
    }

    pub async fn meter(&self, account: Uuid, key: &str, quantity: i64) -> Outcome {
        let meter = ops::meter::Meter {
            resource: "benchmark_runs".into(),
            scope: None,
            quantity: Quantity::from_int(quantity),
            unit: None,
            occurred_at: None,
            period_start: None,
            period_end: None,
            details: BTreeMap::new(),
        };
        self.call(Target::Account(account), Some(key), Command::Meter(meter))
            .await
            .unwrap()
    }

    pub async fn consume(&self, account: Uuid, key: &str) -> Value {
        let consume = ops::consume::Consume {
            resource: "benchmark_runs".into(),
            scope: None,
            quantity: Quantity::ONE,
            unit: None,
            context: BTreeMap::new(),
            details: BTreeMap::new(),
        };
        json(
            &self
                .call(
                    Target::Account(account),
                    Some(key),
                    Command::Consume(consume),
                )
                .await
                .unwrap(),
        )
    }

    pub async fn acquire(&self, account: Uuid, ttl_seconds: i64) -> Value {
        let acquire = ops::lease::Acquire {
            resource: "concurrent_users".into(),
            scope: None,
            session_token: None,
            ttl_seconds,
            slots: 1,
            session_metadata: None,
            context: BTreeMap::new(),
        };
        json(
            &self
                .call(
                    Target::Account(account),
                    None,
                    Command::AcquireLease(acquire),
                )
                .await
                .unwrap(),
        )
    }
}

pub fn json(outcome: &Outcome) -> Value {
    serde_json::from_str(&outcome.body).unwrap()
}
