//! What commits late is not missed by a node that has looked past it.

use std::time::Instant;

use crate::proxy::{Proxy, Step};
use crate::world::{BOUND, DEADLINE, World, consume, node_at};

#[tokio::test(flavor = "multi_thread")]
async fn memory_shows_within_its_bound_what_commits_after_later_transactions_were_seen() {
    let (world, proxy) = (World::new(), Proxy::new());
    let [looking, other] = world.two_nodes().await;
    let late = node_at(&proxy.url(&world.database), BOUND, DEADLINE).await;
    let (slow, fast) = (other.account(None).await, other.account(None).await);
    for account in [slow, fast] {
        assert_eq!(looking.remembered(account).await, 0);
    }
    let awaited = proxy.stop(slow, Step::Commit);
    let call = late.calls(consume(slow, "slow"));
    let caught = awaited.caught();
    other.call(consume(fast, "fast")).await.unwrap();
    let begun = Instant::now();
    while looking.remembered(fast).await == 0 {
        assert!(begun.elapsed() < DEADLINE, "it was never told of");
    }
    assert_eq!(looking.remembered(slow).await, 0);
    caught.pass();
    call.await.unwrap().unwrap();
    let acknowledged = Instant::now();
    loop {
        let asked_after = acknowledged.elapsed();
        if looking.remembered(slow).await == 1 {
            break;
        }
        assert!(asked_after <= BOUND, "behind by {asked_after:?}");
    }
    world.verify(1 + 2).await;
}
