//! A commit whose answer does not come, at each step at which that can be: what was asked for is done
//! once, or not and the caller is told so.

use std::collections::BTreeMap;

use mec_core::{Command, ops};
use mec_engine::{EngineError, Request, Target};
use uuid::Uuid;

use crate::proxy::{Caught, Proxy, Step};
use crate::world::{Answer, BOUND, DEADLINE, Node, World, consume, node_at, request};

/// Two nodes, one of which reaches the database by a proxy, and an account.
struct Two {
    world: World,
    proxy: Proxy,
    cut: Node,
    whole: Node,
    account: Uuid,
}

impl Two {
    async fn new() -> Self {
        let (world, proxy) = (World::new(), Proxy::new());
        let whole = world.node().await;
        let cut = node_at(&proxy.url(&world.database), BOUND, DEADLINE).await;
        let account = whole.account(None).await;
        Self {
            world,
            proxy,
            cut,
            whole,
            account,
        }
    }

    /// Asks by the proxy, which stops the transaction at a step.
    fn stopped(&self, step: Step, request: Request) -> (Caught, tokio::task::JoinHandle<Answer>) {
        let awaited = self.proxy.stop(self.account, step);
        let call = self.cut.calls(request);
        (awaited.caught(), call)
    }

    /// Asks again, on both nodes, until the key has had its effect, which it must have had once.
    async fn once(&mut self, key: &str, was_done: bool) {
        let again = self.cut.call(consume(self.account, key)).await;
        assert_eq!(again.unwrap().replayed, was_done);
        let again = self.whole.call(consume(self.account, key)).await;
        assert!(again.unwrap().replayed);
        assert_eq!(self.world.events(key), 1);
        for node in [&self.cut, &self.whole] {
            assert_eq!(node.used(self.account).await, 1);
        }
        self.world.verify(1).await;
    }

    fn leases(&mut self) -> String {
        self.world
            .told("SELECT count(*) FROM mec.concurrency_leases")
    }
}

/// A slot, without a key.
fn acquire(account: Uuid) -> Request {
    let acquire = ops::lease::Acquire {
        resource: "concurrent_users".into(),
        scope: None,
        session_token: None,
        ttl_seconds: 600,
        slots: 1,
        session_metadata: None,
        context: BTreeMap::new(),
    };
    let target = Target::Account(account);
    request(target, None, Command::AcquireLease(acquire))
}

/// Whether it was done; the only error there may be says that the database is not there.
fn is_done(answer: &Answer) -> bool {
    match answer {
        Ok(outcome) => assert!(outcome.made.is_some(), "{answer:?}"),
        Err(error) => assert!(matches!(error, EngineError::Store(_)), "{answer:?}"),
    }
    answer.is_ok()
}

async fn a_cut_at(step: Step, is_committed: bool) {
    let mut two = Two::new().await;
    let (caught, call) = two.stopped(step, consume(two.account, "a"));
    caught.cut();
    assert_eq!(is_done(&call.await.unwrap()), is_committed);
    assert_eq!(two.world.events("a"), usize::from(is_committed));
    two.once("a", is_committed).await;
    let (caught, call) = two.stopped(step, acquire(two.account));
    caught.cut();
    assert_eq!(is_done(&call.await.unwrap()), is_committed);
    assert_eq!(two.leases(), u8::from(is_committed).to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_cut_before_the_first_statement_leaves_the_key_free() {
    a_cut_at(Step::Lock, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_cut_between_the_writes_and_the_commit_leaves_the_key_free() {
    a_cut_at(Step::Commit, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_answer_was_lost_is_answered_as_done() {
    a_cut_at(Step::Committed, true).await;
}

/// The node asks how its commit ended while the database still waits for it.
async fn a_commit_that_is_late(is_passed: bool) {
    let mut two = Two::new().await;
    let (caught, call) = two.stopped(Step::Commit, consume(two.account, "a"));
    caught.cut_node();
    two.world.until_held_up(1);
    if is_passed {
        caught.pass();
    } else {
        caught.cut();
    }
    assert_eq!(is_done(&call.await.unwrap()), is_passed);
    two.once("a", is_passed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_comes_after_it_was_asked_for_is_waited_for() {
    a_commit_that_is_late(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_never_comes_after_it_was_asked_for_was_not_done() {
    a_commit_that_is_late(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_stays_in_doubt_is_told_as_an_error_and_done_once() {
    let mut two = Two::new().await;
    assert_eq!(two.cut.remembered(two.account).await, 0);
    let (caught, call) = two.stopped(Step::Committed, consume(two.account, "a"));
    two.proxy.shut(true);
    caught.cut();
    assert!(!is_done(&call.await.unwrap()));
    assert_eq!(two.world.events("a"), 1);
    two.proxy.shut(false);
    // What memory held from before is not told, though nobody else has written.
    assert_eq!(two.cut.remembered(two.account).await, 1);
    two.once("a", true).await;
}
