//! One key on two nodes has one effect, whatever else is under way.

use mec_core::Refusal;
use mec_engine::EngineError;

use crate::world::{Answer, Node, World, consume, locked};

/// Keys in the order in which batches write them.
fn keys() -> [String; 3] {
    let mut keys = ["a", "b", "c"].map(ToOwned::to_owned);
    keys.sort_by_key(|key| mec_store::key_hash(key));
    keys
}

/// What another writer has stored under a key and not committed.
fn stored(key: &str) -> String {
    let hash = mec_store::key_hash(key);
    format!(
        "BEGIN; INSERT INTO mec.idempotency_keys (namespace_id, key_hash, key, rpc, args_hash, created_at)
         VALUES ('default', decode('{hash:032x}', 'hex'), '{key}', 'consume', sha256(''), now())"
    )
}

/// How often the database had to end a deadlock. Each process tells it when it ends, at the latest.
async fn deadlocks(world: &mut World, nodes: [Node; 2]) -> String {
    for node in nodes {
        node.0.close().await;
    }
    let left = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND usename = 'mec_engine'";
    world.until(left, "0");
    world.told("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
}

fn is_conflict(answer: &Answer) -> bool {
    matches!(
        answer,
        Err(EngineError::Refused(Refusal::IdempotencyConflict))
    )
}

/// How many of two answers recorded something; the other must be a conflict.
fn recorded(one: &Answer, other: &Answer) -> usize {
    [one, other]
        .iter()
        .filter(|answer| !is_conflict(answer))
        .inspect(|answer| assert!(answer.as_ref().unwrap().made.is_some(), "{answer:?}"))
        .count()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_batches_with_the_same_keys_in_opposite_order_do_not_deadlock() {
    let mut world = World::new();
    let nodes = world.two_nodes().await;
    let (ours, theirs) = (nodes[0].account(None).await, nodes[1].account(None).await);
    let keys = keys();
    // Both would have written their first key when they meet the one in the middle.
    let mut session = world.session();
    session.say(&stored(&keys[1])).unwrap();
    let up = keys.iter().map(|key| consume(ours, key));
    let down = keys.iter().rev().map(|key| consume(theirs, key));
    let first = nodes[0].calls_all(up.collect());
    let second = nodes[1].calls_all(down.collect());
    world.until_held_up(2);
    session.say("ROLLBACK").unwrap();
    let (first, mut second) = (first.await.unwrap(), second.await.unwrap());
    second.reverse();
    for ((one, other), key) in first.iter().zip(&second).zip(&keys) {
        assert_eq!(recorded(one, other), 1, "{key}: {one:?} {other:?}");
        assert_eq!(world.events(key), 1);
    }
    assert_eq!(nodes[0].used(ours).await + nodes[0].used(theirs).await, 3);
    world.verify(1 + 3).await;
    assert_eq!(deadlocks(&mut world, nodes).await, "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_batches_with_the_same_trees_in_opposite_order_do_not_deadlock() {
    let mut world = World::new();
    let nodes = world.two_nodes().await;
    let mut accounts = Vec::new();
    for _ in 0..3 {
        accounts.push(nodes[0].account(None).await);
    }
    accounts.sort_unstable();
    let keys = keys();
    let mut session = world.session();
    session.say(&locked(accounts[1])).unwrap();
    let all = accounts.iter().zip(&keys);
    let all: Vec<_> = all.map(|(account, key)| consume(*account, key)).collect();
    let first = nodes[0].calls_all(all.clone());
    let second = nodes[1].calls_all(all.into_iter().rev().collect());
    world.until_held_up(2);
    session.say("ROLLBACK").unwrap();
    let (first, mut second) = (first.await.unwrap(), second.await.unwrap());
    second.reverse();
    for ((one, other), key) in first.iter().zip(&second).zip(&keys) {
        let (one, other) = (one.as_ref().unwrap(), other.as_ref().unwrap());
        assert_eq!((&one.body, one.made), (&other.body, other.made));
        assert!(one.replayed != other.replayed, "{key}");
        assert_eq!(world.events(key), 1);
    }
    world.verify(1 + 3).await;
    assert_eq!(deadlocks(&mut world, nodes).await, "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_two_trees_race_for_is_had_by_one_and_a_conflict_for_the_other() {
    let mut world = World::new();
    let nodes = world.two_nodes().await;
    let (ours, theirs) = (nodes[0].account(None).await, nodes[1].account(None).await);
    // Both have found the key free, and decided, when they come to write it.
    let mut session = world.session();
    session.say(&stored("a")).unwrap();
    let first = nodes[0].calls(consume(ours, "a"));
    let second = nodes[1].calls(consume(theirs, "a"));
    world.until_held_up(2);
    session.say("ROLLBACK").unwrap();
    let (first, second) = (first.await.unwrap(), second.await.unwrap());
    assert_eq!(recorded(&first, &second), 1, "{first:?} {second:?}");
    assert_eq!(world.events("a"), 1);
    // From now on it is so on every node.
    for node in &nodes {
        for (account, was) in [(ours, &first), (theirs, &second)] {
            let again = node.call(consume(account, "a")).await;
            assert_eq!(is_conflict(&again), is_conflict(was));
            if let (Ok(again), Ok(was)) = (&again, was) {
                assert_eq!((&again.body, again.replayed), (&was.body, true));
            }
            assert_eq!(node.used(account).await, i64::from(was.is_ok()));
        }
    }
    world.verify(1 + 1).await;
}
