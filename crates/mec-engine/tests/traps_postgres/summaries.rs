//! A summary is as fresh as a check: one that is to have seen everything has, whoever wrote it.

use mec_core::{Namespace, Quantity};
use mec_engine::Consistency;
use uuid::Uuid;

use crate::world::{Node, World, consume};

/// How much of its benchmark runs an account has used, by its summary within a subtree.
async fn summed_up(
    node: &Node,
    account: Uuid,
    within: Option<Uuid>,
    consistency: Consistency,
) -> Option<Quantity> {
    let namespace = Namespace::default_namespace();
    let asked = vec![account];
    let told = node.0.usage_summary(&namespace, asked, within, consistency);
    let told = told.await.unwrap();
    let runs = told
        .iter()
        .find(|limit| &*limit.resource_type_code == "benchmark_runs")?;
    Some(runs.quantity_used)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strong_summary_shows_what_memory_has_not_been_told_of() {
    let world = World::new();
    let writes = world.node().await;
    let looks = world.node_that_looks_rarely().await;
    let (account, other) = (writes.account(None).await, writes.account(None).await);
    assert_eq!(looks.remembered(account).await, 0);
    for runs in 1..=3 {
        let key = format!("run {runs}");
        writes.call(consume(account, &key)).await.unwrap();
        let told = summed_up(&looks, account, None, Consistency::Strong).await;
        assert_eq!(told, Some(Quantity::from_int(runs)));
        // What it read is in memory now.
        let told = summed_up(&looks, account, Some(account), Consistency::Bounded).await;
        assert_eq!(told, Some(Quantity::from_int(runs)));
    }
    for consistency in [Consistency::Strong, Consistency::Bounded] {
        assert_eq!(
            summed_up(&looks, account, Some(other), consistency).await,
            None
        );
        assert_eq!(
            summed_up(&looks, Uuid::now_v7(), None, consistency).await,
            None
        );
    }
    let fresh = world.node().await;
    let told = summed_up(&fresh, account, None, Consistency::Bounded).await;
    assert_eq!(told, Some(Quantity::from_int(3)));
}
