//! Nodes of which some have a clock that is an hour off decide by the database's.

use mec_core::Timestamp;
use mec_store::Clock;
use serde_json::Value;

use crate::world::{Off, World, acquire, check, json};

const HOUR: i64 = 3_600 * Timestamp::MICROS_PER_SECOND;

fn micros(told: &Value) -> i64 {
    Timestamp::parse(told.as_str().unwrap())
        .unwrap()
        .as_micros()
}

#[tokio::test(flavor = "multi_thread")]
async fn leases_and_windows_go_by_the_clock_of_the_database() {
    let world = World::new();
    let right = world.node().await;
    let account = right.account(None).await;
    let mut first = None;
    for _ in 0..3 {
        let lease = json(&right.call(acquire(account, 600)).await);
        assert_eq!(lease["success"], true, "{lease}");
        first.get_or_insert(lease["expires_at"].clone());
    }
    let month = json(&right.call(check(account, "benchmark_runs")).await)["resets_at"].clone();
    for off in [HOUR, -HOUR] {
        let wrong = world.node_off_by(off).await;
        // By its own clock the leases had ended long ago, or would last for another hour.
        for _ in 0..2 {
            let full = wrong.remembers(account, "concurrent_users").await;
            assert_eq!(full["decision"], "deny", "{off}: {full}");
            assert_eq!(Some(&full["resets_at"]), first.as_ref(), "{off}");
            let wait = full["retry_after_seconds"].as_i64().unwrap();
            assert!((1..=600).contains(&wait), "{off}: {full}");
            let window = wrong.remembers(account, "benchmark_runs").await;
            assert_eq!(window["resets_at"], month, "{off}");
        }
        let refused = json(&wrong.call(acquire(account, 600)).await);
        assert_eq!(refused["success"], false, "{off}: {refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_node_of_another_clock_hands_out_ends_by_the_clock_of_the_database() {
    let world = World::new();
    let (right, wrong) = (world.node().await, world.node_off_by(HOUR).await);
    let account = wrong.account(None).await;
    let before = Off(0).now().as_micros();
    let lease = json(&wrong.call(acquire(account, 600)).await);
    let after = Off(0).now().as_micros();
    let expiry = micros(&lease["expires_at"]) - 600 * Timestamp::MICROS_PER_SECOND;
    assert!((before..=after).contains(&expiry), "{lease}");
    let seen = json(&right.call(check(account, "concurrent_users")).await);
    assert_eq!(seen["quantity_used"], 1);
}
