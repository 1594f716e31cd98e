//! An account moves to another tree on one node while commands about it wait on another.

use std::collections::BTreeMap;

use mec_core::{Command, Quantity, ops};
use mec_engine::{Request, Target};
use uuid::Uuid;

use crate::world::{Answer, Node, World, consume, consume_so_many, json, locked, request};

/// A tree with an account that holds a reservation and has another below it, and the owner to whose
/// tree it moves.
struct Trees {
    account: Uuid,
    below: Uuid,
    reservation: Uuid,
    other: Uuid,
}

impl Trees {
    async fn new(node: &Node, owner: Uuid, other: Uuid) -> Self {
        let account = node.account(Some(owner)).await;
        let below = node.account(Some(account)).await;
        let reserve = ops::reserve::Reserve {
            resource: "benchmark_runs".into(),
            scope: None,
            quantity: Quantity::from_int(2),
            unit: None,
            context: BTreeMap::new(),
            ttl_seconds: 3_600,
        };
        let target = Target::Account(account);
        let reserve = request(target, Some("hold"), Command::Reserve(reserve));
        let reservation = node.call(reserve).await.unwrap().made.unwrap();
        Self {
            account,
            below,
            reservation,
            other,
        }
    }

    fn to_move(&self) -> Request {
        let to = ops::move_account::MoveAccount {
            new_parent: Some(self.other),
        };
        let target = Target::Account(self.account);
        request(target, None, Command::MoveAccount(to))
    }

    fn to_commit(&self) -> Request {
        let commit = ops::reserve::Commit {
            reservation_id: self.reservation,
            quantity: None,
            details: BTreeMap::new(),
        };
        let target = Target::Reservation(self.reservation);
        request(target, None, Command::CommitReservation(commit))
    }
}

/// In whose tree the event of an answer is recorded.
fn recorded(world: &mut World, answer: &Answer) -> String {
    let event = answer.as_ref().unwrap().made.unwrap();
    let sql =
        format!("SELECT owner_account_id FROM mec.consumption_ledger WHERE event_id = '{event}'");
    world.told(&sql)
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_that_wait_while_their_account_moves_are_decided_and_counted_in_its_new_tree() {
    let mut world = World::new();
    let [moving, waiting] = world.two_nodes().await;
    let (owner, other) = (moving.account(None).await, moving.account(None).await);
    let trees = Trees::new(&moving, owner, other).await;
    // With what is held, the new tree has room for two more; the old one for many.
    let most = consume_so_many(other, "most", 96);
    moving.call(most).await.unwrap();
    // One account is in the memory of the node that waits, the other is not.
    assert_eq!(waiting.remembered(trees.account).await, 0);
    let mut session = world.session();
    session.say(&locked(other)).unwrap();
    let moved = moving.calls(trees.to_move());
    world.until_held_up(1);
    let answers = waiting.calls_all(vec![
        consume(trees.account, "in memory"),
        consume(owner, "stays"),
        consume(trees.below, "not in memory"),
        trees.to_commit(),
        consume(trees.account, "too many"),
    ]);
    world.until_held_up(2);
    session.say("ROLLBACK").unwrap();
    moved.await.unwrap().unwrap();
    let answers = answers.await.unwrap();
    for (at, tree) in [(0, other), (1, owner), (2, other), (3, other)] {
        assert_eq!(recorded(&mut world, &answers[at]), tree.to_string(), "{at}");
    }
    let refused = json(&answers[4]);
    assert_eq!(refused["code"], "limit_reached", "{refused}");
    for node in [&moving, &waiting] {
        assert_eq!(node.used(other).await, 100);
        assert_eq!(node.used(owner).await, 1);
    }
    world.verify(1 + 1 + 4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_and_a_batch_that_meet_over_two_trees_in_opposite_order_are_both_done_once() {
    let mut world = World::new();
    let [moving, waiting] = world.two_nodes().await;
    // A batch locks the lower id first, a move the tree that it leaves.
    let (other, owner) = (moving.account(None).await, moving.account(None).await);
    assert!(other < owner);
    let trees = Trees::new(&moving, owner, other).await;
    let mut session = world.session();
    session.say(&locked(other)).unwrap();
    let answers = waiting.calls_all(vec![
        consume(trees.account, "a"),
        consume(trees.below, "b"),
        trees.to_commit(),
        consume(other, "c"),
    ]);
    world.until_held_up(1);
    let moved = moving.calls(trees.to_move());
    world.until_held_up(2);
    session.say("ROLLBACK").unwrap();
    moved.await.unwrap().unwrap();
    let mut of_other = 0;
    for (at, answer) in answers.await.unwrap().iter().enumerate() {
        let quantity = if at == 2 { 2 } else { 1 };
        let tree = recorded(&mut world, answer);
        of_other += quantity * i64::from(tree == other.to_string());
    }
    for node in [&moving, &waiting] {
        assert_eq!(node.used(other).await, of_other);
        assert_eq!(node.used(owner).await, 5 - of_other);
    }
    world.verify(1 + 4).await;
}
