//! A command whose changes would be lost fails, and leaves nothing.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod mistaken;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use mec_core::account::AccountStatus;
use mec_core::{Command, Namespace, Quantity, Timestamp, ops};
use mec_engine::{Engine, EngineConfig, EngineError, Outcome, Request, RisingIds, Target};
use mec_store::memory::MemoryStore;
use mec_store::{Clock, UsageQuery};
use mistaken::Mistaken;
use uuid::Uuid;

const RIGHT: Uuid = Uuid::from_u128(0xa1);
const WRONG: Uuid = Uuid::from_u128(0xb2);

struct Noon;

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(1_800_000_000_000_000)
    }
}

fn start(store: &Mistaken) -> Engine {
    let config = EngineConfig::default();
    Engine::start(Arc::new(store.clone()), Arc::new(Noon), RisingIds, config).unwrap()
}

fn request(target: Target, key: Option<&str>, command: Command) -> Request {
    Request {
        namespace: Namespace::default_namespace(),
        target,
        command,
        key: key.map(Into::into),
        by: "test".into(),
        guard: None,
        request_id: None,
        consistency: Default::default(),
    }
}

fn create(account_id: Uuid) -> Request {
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
    request(
        Target::NewTree(account_id),
        None,
        Command::CreateAccount(create),
    )
}

fn meter(account: Uuid, key: &str) -> Request {
    let meter = ops::meter::Meter {
        resource: "benchmark_runs".into(),
        scope: None,
        quantity: Quantity::ONE,
        unit: None,
        occurred_at: None,
        period_start: None,
        period_end: None,
        details: BTreeMap::new(),
    };
    request(Target::Account(account), Some(key), Command::Meter(meter))
}

async fn used(engine: &Engine, account: Uuid) -> i128 {
    let query = UsageQuery {
        namespace: Namespace::default_namespace(),
        account,
        resource: "benchmark_runs".into(),
        scope: None,
        from: None,
        to: None,
        include_children: true,
    };
    engine.usage(query).await.unwrap()
}

fn is_lost(answer: &Result<Outcome, EngineError>) -> bool {
    matches!(answer, Err(EngineError::Internal(why)) if why.contains("would be lost"))
}

#[tokio::test]
async fn a_command_whose_change_would_be_lost_fails_alone_and_leaves_nothing() {
    let store = Mistaken::new(
        MemoryStore::new(Arc::new(Noon), &mut RisingIds),
        RIGHT,
        WRONG,
    );
    let engine = start(&store);
    for account in [RIGHT, WRONG] {
        engine.call(create(account)).await.unwrap();
    }
    engine.close().await;

    // The store takes one account for another, so that changes name a part that was not loaded.
    store.errs.store(true, Ordering::SeqCst);
    let engine = start(&store);
    let both = vec![meter(RIGHT, "lost"), meter(WRONG, "kept")];
    let answers = engine.call_all(both).await.unwrap();
    assert!(is_lost(&answers[0]), "{:?}", answers[0]);
    let kept = answers[1].as_ref().unwrap();
    assert_eq!(used(&engine, RIGHT).await, 0);
    assert_eq!(used(&engine, WRONG).await, 1_000_000);
    assert!(is_lost(&engine.call(meter(RIGHT, "lost")).await));
    engine.close().await;

    store.errs.store(false, Ordering::SeqCst);
    let engine = start(&store);
    let done = engine.call(meter(RIGHT, "lost")).await.unwrap();
    assert!(!done.replayed, "its key was left free");
    let again = engine.call(meter(WRONG, "kept")).await.unwrap();
    assert_eq!((again.replayed, again.made), (true, kept.made));
    assert_eq!(used(&engine, RIGHT).await, 1_000_000);
    assert_eq!(used(&engine, WRONG).await, 1_000_000);
}
