//! Engines over one database, what they are asked, and what the database says of them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use mec_core::account::AccountStatus;
use mec_core::{Command, Namespace, Quantity, Timestamp, ops};
use mec_engine::{
    Consistency, Engine, EngineConfig, EngineError, Outcome, Request, RisingIds, Target,
};
use mec_store::Clock;
use mec_store_postgres::{PostgresConfig, PostgresStore};
use mec_test_postgres::{Server, Session};
use serde_json::Value;
use tokio::task::JoinHandle;
use uuid::Uuid;

/// So long something is waited for that must come; a slow machine takes much less.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// So far memory may be behind, where a test does not say otherwise.
pub const BOUND: Duration = Duration::from_secs(1);

pub type Answer = Result<Outcome, EngineError>;

/// The machine's clock, off by so many microseconds.
pub struct Off(pub i64);

impl Clock for Off {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap() + self.0)
    }
}

pub struct World {
    pub database: String,
    asks: Session,
}

impl World {
    pub fn new() -> Self {
        // To start the server waits, which a thread of the runtime may not.
        let made = std::thread::spawn(|| Server::shared().database());
        let database = made.join().unwrap();
        let asks = Server::shared().session(&database).unwrap();
        Self { database, asks }
    }

    pub fn url(&self) -> String {
        Server::shared().url("mec_engine", &self.database)
    }

    pub async fn node(&self) -> Node {
        node_at(&self.url(), BOUND, DEADLINE).await
    }

    /// A node whose clock is off by so many microseconds.
    pub async fn node_off_by(&self, micros: i64) -> Node {
        start(&self.url(), BOUND, DEADLINE, Off(micros)).await
    }

    /// A node that is not told what others do before it asks itself.
    pub async fn node_that_looks_rarely(&self) -> Node {
        node_at(&self.url(), DEADLINE, DEADLINE).await
    }

    /// A node that soon gives up waiting for a lock.
    pub async fn node_without_patience(&self) -> Node {
        node_at(&self.url(), BOUND, Duration::from_millis(100)).await
    }

    /// Two nodes, and a first event: whoever is the first to record something in a unit notes that for
    /// all, and others wait for that once.
    pub async fn two_nodes(&self) -> [Node; 2] {
        let nodes = [self.node().await, self.node().await];
        let account = nodes[0].account(None).await;
        nodes[0].call(consume(account, "first")).await.unwrap();
        nodes
    }

    /// A conversation that may hold locks.
    pub fn session(&self) -> Session {
        Server::shared().session(&self.database).unwrap()
    }

    /// What the database says now.
    pub fn told(&mut self, sql: &str) -> String {
        self.asks.say(sql).unwrap()
    }

    /// Waits until so many of the engines' transactions wait for a lock.
    pub fn until_held_up(&mut self, count: usize) {
        let waiting = "SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND usename = 'mec_engine' AND wait_event_type = 'Lock'";
        self.until(waiting, &count.to_string());
    }

    /// Waits until the database says so.
    pub fn until(&mut self, sql: &str, wanted: &str) {
        let begun = Instant::now();
        while self.told(sql) != wanted {
            assert!(
                begun.elapsed() < DEADLINE,
                "it never became {wanted}: {sql}"
            );
        }
    }

    /// How many events bear a key.
    pub fn events(&mut self, key: &str) -> usize {
        let sql =
            format!("SELECT count(*) FROM mec.consumption_ledger WHERE idempotency_key = '{key}'");
        self.told(&sql).parse().unwrap()
    }

    /// Proves the ledger, which must hold so many events.
    pub async fn verify(&self, events: u64) {
        let config = PostgresConfig::new(self.url().into());
        let report = mec_store_postgres::verify_since(&config, &[], &mut |_| {}).await;
        let report = report.unwrap();
        assert_eq!((report.problem, report.events), (None, events));
    }
}

/// A node at an address of the database, whose memory may be so far behind and which waits so long for
/// a lock.
pub async fn node_at(url: &str, staleness_bound: Duration, lock_timeout: Duration) -> Node {
    start(url, staleness_bound, lock_timeout, Off(0)).await
}

async fn start(url: &str, staleness_bound: Duration, lock_timeout: Duration, clock: Off) -> Node {
    let mut config = PostgresConfig::new(url.to_owned().into());
    config.lock_timeout = lock_timeout;
    config.statement_timeout = DEADLINE;
    config.idle_timeout = DEADLINE;
    let store = PostgresStore::open(&config, &mut RisingIds).await.unwrap();
    let config = EngineConfig {
        staleness_bound,
        ..EngineConfig::default()
    };
    let engine = Engine::start(Arc::new(store), Arc::new(clock), RisingIds, config);
    Node(Arc::new(engine.unwrap()))
}

#[derive(Clone)]
pub struct Node(pub Arc<Engine>);

impl Node {
    pub async fn call(&self, request: Request) -> Answer {
        self.0.call(request).await
    }

    /// Asks, and goes on meanwhile.
    pub fn calls(&self, request: Request) -> JoinHandle<Answer> {
        let node = self.clone();
        tokio::spawn(async move { node.call(request).await })
    }

    /// Asks for all of them in one batch, and goes on meanwhile.
    pub fn calls_all(&self, requests: Vec<Request>) -> JoinHandle<Vec<Answer>> {
        let node = self.clone();
        tokio::spawn(async move { node.0.call_all(requests).await.unwrap() })
    }

    /// A new account with the plan `starter`.
    pub async fn account(&self, parent: Option<Uuid>) -> Uuid {
        let account_id = Uuid::now_v7();
        let create = ops::account::CreateAccount {
            account_id,
            account_type: "organization".into(),
            parent,
            external_id: None,
            display_name: None,
            email: None,
            timezone: None,
            metadata: BTreeMap::new(),
            status: AccountStatus::Active,
        };
        let target = parent.map_or(Target::NewTree(account_id), Target::Account);
        let create = request(target, None, Command::CreateAccount(create));
        self.call(create).await.unwrap();
        let provision = ops::provision::Provision {
            plan_id: "starter".into(),
            start: None,
            quantity: None,
        };
        let target = Target::Account(account_id);
        let provision = request(target, None, Command::ProvisionPlan(provision));
        self.call(provision).await.unwrap();
        account_id
    }

    /// What a check is answered from memory.
    pub async fn remembers(&self, account: Uuid, resource: &str) -> Value {
        let in_memory = || self.0.stats().checks_in_memory.load(Ordering::Relaxed);
        loop {
            let before = in_memory();
            let told = self.call(check(account, resource)).await;
            if in_memory() > before {
                return json(&told);
            }
        }
    }

    /// How much of its benchmark runs an account has used, by what is in memory.
    pub async fn remembered(&self, account: Uuid) -> i64 {
        let told = self.remembers(account, "benchmark_runs").await;
        told["quantity_used"].as_i64().unwrap()
    }

    /// How much of its benchmark runs an account has used, by what is committed.
    pub async fn used(&self, account: Uuid) -> i64 {
        let mut request = check(account, "benchmark_runs");
        request.consistency = Consistency::Strong;
        json(&self.call(request).await)["quantity_used"]
            .as_i64()
            .unwrap()
    }
}

pub fn request(target: Target, key: Option<&str>, command: Command) -> Request {
    Request {
        namespace: Namespace::default_namespace(),
        target,
        command,
        key: key.map(Into::into),
        by: "test".into(),
        guard: None,
        request_id: None,
        consistency: Consistency::Bounded,
    }
}

pub fn check(account: Uuid, resource: &str) -> Request {
    let check = ops::check::Check {
        resource: resource.into(),
        scope: None,
        quantity: Quantity::ONE,
        unit: None,
        context: BTreeMap::new(),
        explain: false,
    };
    request(Target::Account(account), None, Command::Check(check))
}

/// One benchmark run, under a key.
pub fn consume(account: Uuid, key: &str) -> Request {
    consume_so_many(account, key, 1)
}

pub fn consume_so_many(account: Uuid, key: &str, quantity: i64) -> Request {
    let consume = ops::consume::Consume {
        resource: "benchmark_runs".into(),
        scope: None,
        quantity: Quantity::from_int(quantity),
        unit: None,
        context: BTreeMap::new(),
        details: BTreeMap::new(),
    };
    let target = Target::Account(account);
    request(target, Some(key), Command::Consume(consume))
}

/// A lease of one concurrent user.
pub fn acquire(account: Uuid, ttl_seconds: i64) -> Request {
    let acquire = ops::lease::Acquire {
        resource: "concurrent_users".into(),
        scope: None,
        session_token: None,
        ttl_seconds,
        slots: 1,
        session_metadata: None,
        context: BTreeMap::new(),
    };
    let target = Target::Account(account);
    request(target, None, Command::AcquireLease(acquire))
}

/// Holds one benchmark run, under a key.
pub fn reserve(account: Uuid, key: &str) -> Request {
    let reserve = ops::reserve::Reserve {
        resource: "benchmark_runs".into(),
        scope: None,
        quantity: Quantity::ONE,
        unit: None,
        context: BTreeMap::new(),
        ttl_seconds: 3_600,
    };
    let target = Target::Account(account);
    request(target, Some(key), Command::Reserve(reserve))
}

pub fn json(answer: &Answer) -> Value {
    serde_json::from_str(&answer.as_ref().unwrap().body).unwrap()
}

/// SQL that holds a tree until its transaction ends.
pub fn locked(tree: Uuid) -> String {
    format!("BEGIN; SELECT 1 FROM mec.trees WHERE tree_id = '{tree}' FOR UPDATE")
}
