//! A statement of a batch fails: what the batch then answers is true all the same.

use crate::world::{World, consume, reserve};

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_answered_as_done_by_a_batch_of_which_a_statement_failed() {
    let mut world = World::new();
    let [_, other] = world.two_nodes().await;
    let node = world.node_without_patience().await;
    let (known, unknown) = (other.account(None).await, other.account(None).await);
    for key in ["warm", "warmer"] {
        node.call(consume(known, key)).await.unwrap();
    }
    assert_eq!(node.remembered(known).await, 2);
    // All statements that such a batch writes with are prepared by now.
    let logged = "SELECT count(*) > 0 FROM mec.control_decisions_log";
    world.until(logged, "t");
    // What is not in memory cannot be loaded for longer than the node waits.
    let mut session = world.session();
    session.say("BEGIN; LOCK TABLE mec.grants").unwrap();
    let answers = node.calls_all(vec![consume(known, "a"), consume(unknown, "b")]);
    let answers = answers.await.unwrap();
    session.say("ROLLBACK").unwrap();
    for (answer, key) in answers.iter().zip(["a", "b"]) {
        assert_eq!(world.events(key), usize::from(answer.is_ok()), "{answer:?}");
    }
    for (account, key) in [(known, "a"), (unknown, "b")] {
        node.call(consume(account, key)).await.unwrap();
    }
    assert_eq!([node.used(known).await, node.used(unknown).await], [3, 1]);
    world.verify(1 + 3 + 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_damaged_of_one_account_fails_no_command_of_another() {
    let mut world = World::new();
    let [node, other] = world.two_nodes().await;
    let (whole, damaged) = (other.account(None).await, other.account(None).await);
    other.call(reserve(damaged, "held")).await.unwrap();
    world.told("UPDATE mec.open_holds SET grants = '7'");
    let requests = ["a", "b", "c"].map(|key| match key {
        "b" => consume(damaged, key),
        _ => consume(whole, key),
    });
    let answers = node.calls_all(requests.to_vec()).await.unwrap();
    let done: Vec<bool> = answers.iter().map(Result::is_ok).collect();
    assert_eq!(done, [true, false, true], "{answers:?}");
    assert_eq!(["a", "b", "c"].map(|key| world.events(key)), [1, 0, 1]);
}
