//! Engines of many processes on one database, of which some have a clock that is an hour off.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{SystemTime, UNIX_EPOCH};

use mec_core::account::AccountStatus;
use mec_core::catalogue::Lookups;
use mec_core::{Catalogue, Command, Namespace, Quantity, Refusal, Timestamp, ops};
use mec_engine::{Consistency, Engine, EngineConfig, EngineError, Request, RisingIds, Target};
use mec_store::{CatalogueDraft, Clock};
use mec_store_postgres::{PostgresConfig, PostgresStore};
use mec_test_postgres::Server;
use serde_json::{Value, json};
use uuid::Uuid;

const HOUR: i64 = 3_600 * Timestamp::MICROS_PER_SECOND;

/// The process's clock, off by so many microseconds.
struct Off(i64);

impl Clock for Off {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap() + self.0)
    }
}

/// The address of a new database; made on a thread of its own, since to make it waits.
fn database() -> String {
    let made = std::thread::spawn(|| {
        let server = Server::shared();
        server.url("mec_engine", &server.database())
    });
    made.join().unwrap()
}

async fn engine(url: &str, off: i64) -> Engine {
    let config = PostgresConfig::new(url.to_owned().into());
    let store = PostgresStore::open(&config, &mut RisingIds).await.unwrap();
    let config = EngineConfig::default();
    Engine::start(Arc::new(store), Arc::new(Off(off)), RisingIds, config).unwrap()
}

async fn call(engine: &Engine, target: Target, command: Command) -> Value {
    let request = Request {
        namespace: Namespace::default_namespace(),
        target,
        command,
        key: Some(Uuid::new_v4().to_string().into()),
        by: "test".into(),
        guard: None,
        request_id: None,
        consistency: Consistency::Bounded,
    };
    let outcome = engine.call(request).await.unwrap();
    serde_json::from_str(&outcome.body).unwrap_or(Value::Null)
}

async fn account(engine: &Engine) -> Uuid {
    let account_id = Uuid::now_v7();
    let create = ops::account::CreateAccount {
        account_id,
        account_type: "organization".into(),
        parent: None,
        external_id: None,
        display_name: None,
        email: None,
        timezone: None,
        metadata: BTreeMap::new(),
        status: AccountStatus::Active,
    };
    let target = Target::NewTree(account_id);
    call(engine, target, Command::CreateAccount(create)).await;
    let provision = ops::provision::Provision {
        plan_id: "starter".into(),
        start: None,
        quantity: None,
    };
    let target = Target::Account(account_id);
    call(engine, target, Command::ProvisionPlan(provision)).await;
    account_id
}

/// What two nodes replace at the same time is replaced by one of them, and the other is told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_replacements_at_once_one_is_refused() {
    let url = database();
    let (a, b) = (engine(&url, 0).await, engine(&url, 0).await);
    let namespace = Namespace::default_namespace();
    let one_of = |outcomes: [Result<u64, EngineError>; 2], before: u64| {
        let done: Vec<u64> = outcomes.into_iter().flatten().collect();
        assert_eq!(done, [before + 1]);
    };
    for _ in 0..10 {
        let before = a.lookups().await.unwrap();
        let version = before.version;
        let put = |engine: &'static str, to: Result<Arc<Lookups>, EngineError>| {
            if let Err(EngineError::Refused(refusal)) = &to {
                assert!(
                    matches!(refusal, Refusal::LookupsChanged { .. }),
                    "{engine}"
                );
            }
            to.map(|lookups| lookups.version)
        };
        let (first, second) = tokio::join!(
            a.replace_lookups(&before, (*before).clone()),
            b.replace_lookups(&before, (*before).clone()),
        );
        one_of([put("a", first), put("b", second)], version);
        let newest = a.lookups().await.unwrap();
        a.put_catalogue(namespace.clone(), CatalogueDraft::default())
            .await
            .unwrap();
        let before = Catalogue::clone(&*a.catalogue(&namespace).await.unwrap());
        assert_eq!(before.lookups.version, newest.version);
        let (first, second) = tokio::join!(
            a.replace_catalogue(&before, CatalogueDraft::default()),
            b.replace_catalogue(&before, CatalogueDraft::default()),
        );
        let outcomes = [first, second].map(|put| put.map(|catalogue| catalogue.version));
        one_of(outcomes, before.version);
    }
}

async fn check(engine: &Engine, account: Uuid, resource: &str) -> Value {
    let check = ops::check::Check {
        resource: resource.into(),
        scope: None,
        quantity: Quantity::ONE,
        unit: None,
        context: BTreeMap::new(),
        explain: false,
    };
    call(engine, Target::Account(account), Command::Check(check)).await
}

async fn acquire(engine: &Engine, account: Uuid, ttl_seconds: i64) -> Value {
    let acquire = ops::lease::Acquire {
        resource: "concurrent_users".into(),
        scope: None,
        session_token: None,
        ttl_seconds,
        slots: 1,
        session_metadata: None,
        context: BTreeMap::new(),
    };
    call(
        engine,
        Target::Account(account),
        Command::AcquireLease(acquire),
    )
    .await
}

/// Asks the same until an answer comes from memory; returns that.
async fn check_in_memory(engine: &Engine, account: Uuid, resource: &str) -> Value {
    let in_memory = || engine.stats().checks_in_memory.load(Ordering::Relaxed);
    loop {
        let before = in_memory();
        let told = check(engine, account, resource).await;
        if in_memory() > before {
            return told;
        }
    }
}

fn micros(told: &Value) -> i64 {
    Timestamp::parse(told.as_str().unwrap())
        .unwrap()
        .as_micros()
}

#[tokio::test]
async fn leases_and_windows_go_by_the_clock_of_the_database() {
    let url = database();
    let right = engine(&url, 0).await;
    let account = account(&right).await;
    let mut first = None;
    for _ in 0..3 {
        let lease = acquire(&right, account, 600).await;
        assert_eq!(lease["success"], true, "{lease}");
        first.get_or_insert(lease["expires_at"].clone());
    }
    let month = check(&right, account, "benchmark_runs").await["resets_at"].clone();
    for off in [HOUR, -HOUR] {
        let wrong = engine(&url, off).await;
        // By its own clock the leases had ended long ago, or would last for another hour.
        for _ in 0..2 {
            let full = check_in_memory(&wrong, account, "concurrent_users").await;
            assert_eq!(full["decision"], "deny", "{off}: {full}");
            assert_eq!(Some(&full["resets_at"]), first.as_ref(), "{off}");
            let wait = full["retry_after_seconds"].as_i64().unwrap();
            assert!((1..=600).contains(&wait), "{off}: {full}");
            let window = check_in_memory(&wrong, account, "benchmark_runs").await;
            assert_eq!(window["resets_at"], month, "{off}");
        }
        let refused = acquire(&wrong, account, 600).await;
        assert_eq!(refused["success"], json!(false), "{off}: {refused}");
        wrong.close().await;
    }
    right.close().await;
}

#[tokio::test]
async fn what_a_node_of_another_clock_hands_out_ends_by_the_clock_of_the_database() {
    let url = database();
    let (right, wrong) = (engine(&url, 0).await, engine(&url, HOUR).await);
    let account = account(&wrong).await;
    let before = Off(0).now().as_micros();
    let lease = acquire(&wrong, account, 600).await;
    let after = Off(0).now().as_micros();
    let expiry = micros(&lease["expires_at"]) - 600 * Timestamp::MICROS_PER_SECOND;
    assert!((before..=after).contains(&expiry), "{lease}");
    assert_eq!(
        check(&right, account, "concurrent_users").await["quantity_used"],
        1
    );
    wrong.close().await;
    right.close().await;
}
