//! A catalogue that one node has acknowledged decides all that comes after, on every node.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use mec_core::rule::LimitAction;
use mec_core::{Namespace, Quantity};
use mec_engine::{Consistency, EngineError};
use mec_store::CatalogueDraft;
use serde_json::Value;
use uuid::Uuid;

use crate::world::{Node, World, check, consume, consume_so_many, json, locked};

/// An account whose benchmark runs are used up, so that a rule decides what becomes of more.
async fn used_up(node: &Node) -> Uuid {
    let account = node.account(None).await;
    let all = consume_so_many(account, "all", 100);
    node.call(all).await.unwrap();
    account
}

/// Puts a catalogue that lets more be had as overage, at a price which tells it from others.
async fn put(node: &Node, price: i64) {
    let namespace = Namespace::default_namespace();
    let before = node.0.catalogue(&namespace).await.unwrap();
    let mut draft = CatalogueDraft {
        over: None,
        resource_types: before.resource_types.values().cloned().collect(),
        plans: before.plans.values().cloned().collect(),
        rules: before.rules.values().flatten().cloned().collect(),
    };
    for rule in &mut draft.rules {
        rule.limit_action_code = LimitAction::Overage;
        rule.overage_multiplier = Some(Quantity::from_int(price));
    }
    node.0.put_catalogue(namespace, draft).await.unwrap();
}

/// The price by which more was had; 0 where it was refused.
fn price(told: &Value) -> i64 {
    if told["decision"] == "deny" {
        assert_eq!(told["code"], "limit_reached", "{told}");
        return 0;
    }
    assert_eq!(told["decision"], "overage", "{told}");
    told["overage_multiplier"].as_i64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_after_a_catalogue_was_acknowledged_elsewhere_goes_by_it_though_a_batch_is_in_flight()
 {
    let mut world = World::new();
    let ours = world.node().await;
    let theirs = world.node_that_looks_rarely().await;
    let account = used_up(&ours).await;
    assert_eq!(price(&json(&theirs.call(consume(account, "old")).await)), 0);
    let mut session = world.session();
    session.say(&locked(account)).unwrap();
    let before = theirs.calls(consume(account, "before"));
    world.until_held_up(1);
    put(&ours, 2).await;
    let after = ["a", "b", "c"].map(|key| theirs.calls(consume(account, key)));
    let mut strong = check(account, "benchmark_runs");
    strong.consistency = Consistency::Strong;
    let checked = theirs.calls(strong);
    session.say("ROLLBACK").unwrap();
    let mut had = usize::from(price(&json(&before.await.unwrap())) > 0);
    for answer in after {
        assert_eq!(price(&json(&answer.await.unwrap())), 2);
        had += 1;
    }
    assert_eq!(price(&json(&checked.await.unwrap())), 2);
    world.verify(1 + had as u64).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_command_under_load_goes_by_an_older_catalogue_than_was_acknowledged_before_it() {
    const ROUNDS: i64 = 20;
    let world = World::new();
    let ours = world.node().await;
    let theirs = world.node_that_looks_rarely().await;
    let account = used_up(&ours).await;
    let acknowledged = Arc::new(AtomicI64::new(0));
    let is_over = Arc::new(AtomicBool::new(false));
    let callers: Vec<_> = (0..4)
        .map(|caller| {
            let (node, acknowledged, is_over) =
                (theirs.clone(), acknowledged.clone(), is_over.clone());
            tokio::spawn(async move {
                let mut had = 0;
                while !is_over.load(Ordering::SeqCst) {
                    let least = acknowledged.load(Ordering::SeqCst);
                    let key = format!("{caller}-{had}");
                    let price = price(&json(&node.call(consume(account, &key)).await));
                    assert!(price >= least, "{key}: {price} after {least}");
                    had += u64::from(price > 0);
                }
                had
            })
        })
        .collect();
    for price in 1..=ROUNDS {
        put(&ours, price).await;
        acknowledged.store(price, Ordering::SeqCst);
    }
    is_over.store(true, Ordering::SeqCst);
    let mut had = 1;
    for caller in callers {
        had += caller.await.unwrap();
    }
    world.verify(had).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_replacements_at_once_one_is_refused() {
    let world = World::new();
    let [a, b] = [world.node().await, world.node().await];
    let namespace = Namespace::default_namespace();
    let one_of = |outcomes: [Result<u64, EngineError>; 2], before: u64| {
        let done: Vec<u64> = outcomes.into_iter().flatten().collect();
        assert_eq!(done, [before + 1]);
    };
    for _ in 0..10 {
        let before = a.0.lookups().await.unwrap();
        let (first, second) = tokio::join!(
            a.0.replace_lookups(&before, (*before).clone()),
            b.0.replace_lookups(&before, (*before).clone()),
        );
        let outcomes = [first, second].map(|put| put.map(|lookups| lookups.version));
        one_of(outcomes, before.version);
        let empty = CatalogueDraft::default();
        let put = a.0.put_catalogue(namespace.clone(), empty.clone()).await;
        let before = put.unwrap();
        let (first, second) = tokio::join!(
            a.0.replace_catalogue(&before, empty.clone()),
            b.0.replace_catalogue(&before, empty.clone()),
        );
        let outcomes = [first, second].map(|put| put.map(|catalogue| catalogue.version));
        one_of(outcomes, before.version);
    }
}
