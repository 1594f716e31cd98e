//! A query that takes too long is given up and told so, and takes nothing from anybody else.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;

use super::paging::fill;
use super::world::{Caller, OWNER, World};

/// More rows in rows than anybody waits for.
const ENDLESS: &str =
    "/api/consumption?select=event_id,accounts(consumption(accounts(consumption(event_id))))";

async fn is_given_up(world: &World) {
    fill(world).await;
    let service = Caller::service("default");
    let check = || {
        let asked = json!({"p_account_id": OWNER, "p_resource_type": "benchmark_runs"});
        world.call(&service, "/api/rpc/check_entitlement", asked)
    };
    check().await;
    // As many as there are connections that read, in either store.
    let endless = join_all((0..8).map(|_| world.get(&service, ENDLESS)));
    let mut endless = std::pin::pin!(endless);
    let answered = tokio::select! {
        biased;
        _ = &mut endless => None,
        answer = check() => Some(answer),
    };
    let Some(answer) = answered else {
        panic!("a check waits for no query");
    };
    assert!(answer["decision"].is_string(), "{answer}");
    for answer in endless.await {
        let told = answer.error(422, "query_too_slow");
        let hint = "filter by account_id or by a range of occurred_at, and order by occurred_at";
        assert_eq!(told["hint"], hint);
    }
    // The connections are as before, and as before they stop what is late.
    let quick = join_all((0..9).map(|_| world.rows(&service, "/api/consumption?limit=3"))).await;
    assert!(quick.iter().all(|rows| rows.len() == 3));
    world
        .get(&service, ENDLESS)
        .await
        .error(422, "query_too_slow");
}

#[tokio::test]
async fn what_takes_too_long_is_given_up_and_keeps_nobody_waiting() {
    for world in World::limited(Duration::from_secs(1)).await {
        is_given_up(&world).await;
    }
}
