//! Full disks, refused rows and tampering: nothing is lost, and what is wrong is named.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod common;

use common::{World, account, code, created, planted, whole};
use mec_core::change::Change;
use mec_core::need::{Loaded, Need};
use mec_core::usage::CounterKey;
use mec_store::{Batch, CommitError, CommitSet, Store, StoreError};
use mec_store_sqlite::verify;

#[tokio::test]
async fn a_full_database_says_so_loses_nothing_and_goes_on_with_more_room() {
    let mut world = World::new();
    drop(world.open());
    let size = std::fs::metadata(world.path().join("mec.db"))
        .unwrap()
        .len();
    let store = world.open_with(Some(size + 200_000)).unwrap();
    let (mut tree, owner, _) = planted(&mut world, &store).await;
    let mut done = 0;
    let error = loop {
        let before = tree.head.clone();
        let changes = (0..50).flat_map(|_| {
            tree.event(
                world.id(),
                &[owner],
                "benchmark_runs",
                None,
                1,
                "2026-05-04T10:00:00Z",
            )
        });
        let changes = changes.collect();
        match tree.commit(&store, changes).await {
            Ok(()) => done += 50,
            Err(error) => {
                tree.head = before;
                break error;
            }
        }
    };
    assert!(done > 0);
    assert!(
        matches!(
            &error,
            CommitError::NotDone(StoreError::Unavailable(_, Some(_)))
        ),
        "{error}"
    );
    let total = |loaded| match loaded {
        Loaded::Sum(sum) => sum,
        other => panic!("{other:?}"),
    };
    let need = || Need::Sum {
        level: owner,
        counter: CounterKey {
            resource: code("benchmark_runs"),
            scope: None,
            drawn_for: None,
        },
        from: None,
        to: None,
    };
    assert_eq!(
        total(common::load(&store, owner, need()).await),
        whole(done)
    );
    drop(store);

    let store = world.open();
    store.health().await.unwrap();
    assert_eq!(
        total(common::load(&store, owner, need()).await),
        whole(done)
    );
    let changes = tree.event(
        world.id(),
        &[owner],
        "benchmark_runs",
        None,
        1,
        "2026-05-04T10:00:00Z",
    );
    tree.commit(&store, changes).await.unwrap();
    let report = verify(world.path(), &mut |_| {}).unwrap();
    assert_eq!(
        (report.problem, report.events),
        (None, u64::try_from(done + 1).unwrap())
    );
}

#[tokio::test]
async fn a_lock_of_another_program_passes() {
    let mut world = World::new();
    let store = world.open();
    let other = world.raw();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = store.begin(0, &[], &[]).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(..)), "{error}");
    other.execute_batch("ROLLBACK").unwrap();
    planted(&mut world, &store).await;
}

#[tokio::test]
async fn a_refused_row_names_its_command_and_nothing_of_the_batch_stays() {
    let mut world = World::new();
    let store = world.open();
    let (mut tree, owner, child) = planted(&mut world, &store).await;
    let now = "2026-05-04T10:00:00Z";
    let mut twin = account(world.id(), Some(owner), now);
    twin.external_id = account(child, None, now).external_id;
    let fine = created(account(world.id(), Some(owner), now));
    let error = tree
        .commit_many(&store, vec![vec![fine.clone()], vec![created(twin)]])
        .await
        .unwrap_err();
    match error {
        CommitError::Refused {
            command,
            reason,
            overflow,
        } => {
            assert_eq!((command, overflow), (Some(1), false));
            assert!(reason.contains("accounts.external_id"), "{reason}");
        }
        other => panic!("{other}"),
    }
    // The first command's account is not there either, so it can be created.
    tree.commit(&store, vec![fine]).await.unwrap();
}

#[tokio::test]
async fn a_sum_beyond_its_range_is_refused_as_an_overflow_and_counters_stay_right() {
    let mut world = World::new();
    let store = world.open();
    let (mut tree, owner, _) = planted(&mut world, &store).await;
    let usage = |resource: &str, amount| Change::UsageAdded {
        level: owner,
        resource: code(resource),
        scope: None,
        drawn_for: None,
        bucket: common::time("2026-05-04T10:00:00Z"),
        amount,
    };
    let huge = (1_i128 << 62) * 1_000_000 - 1;
    tree.commit(&store, vec![usage("benchmark_runs", huge)])
        .await
        .unwrap();
    for changes in [
        vec![usage("llm_tokens", 1), usage("benchmark_runs", 1)],
        vec![usage("llm_tokens", 1), usage("llm_tokens", i128::MAX)],
    ] {
        let error = tree.commit(&store, changes).await.unwrap_err();
        assert!(
            matches!(
                error,
                CommitError::Refused {
                    command: Some(0),
                    overflow: true,
                    ..
                }
            ),
            "{error}"
        );
    }
    // The number that the rolled back counter had goes to another one.
    tree.commit(&store, vec![usage("api_requests", 7)])
        .await
        .unwrap();
    tree.commit(&store, vec![usage("llm_tokens", 5)])
        .await
        .unwrap();
    for (resource, sum) in [
        ("api_requests", 7),
        ("llm_tokens", 5),
        ("benchmark_runs", huge),
    ] {
        let counter = CounterKey {
            resource: code(resource),
            scope: None,
            drawn_for: None,
        };
        let need = Need::Sum {
            level: owner,
            counter,
            from: None,
            to: None,
        };
        assert!(
            matches!(common::load(&store, owner, need).await, Loaded::Sum(found) if found == sum),
            "{resource}"
        );
    }
}

#[tokio::test]
async fn a_dropped_batch_leaves_no_trace_and_the_next_one_begins() {
    let mut world = World::new();
    let store = world.open();
    drop(store.begin(0, &[], &[]).await.unwrap());
    let batch = store.begin(0, &[], &[]).await.unwrap();
    batch.commit(CommitSet::default()).await.unwrap();
    planted(&mut world, &store).await;
}

async fn history(world: &mut World) -> [uuid::Uuid; 2] {
    let store = world.open();
    let (mut tree, owner, child) = planted(world, &store).await;
    let (first, second) = (world.id(), world.id());
    for (id, at) in [
        (first, "2026-05-04T10:00:30Z"),
        (second, "2026-05-05T11:00:30Z"),
    ] {
        let changes = tree.event(id, &[child, owner], "benchmark_runs", Some("eu"), 3, at);
        tree.commit(&store, changes).await.unwrap();
    }
    [first, second]
}

/// Tampers and gives the sentence that verification finds.
async fn found(world: &World, tamper: &str) -> String {
    world
        .raw()
        .execute_batch(&format!(
            "DROP TRIGGER consumption_ledger_no_update; DROP TRIGGER consumption_ledger_no_delete;
             DROP TRIGGER consumption_event_details_no_update; PRAGMA foreign_keys = OFF; {tamper}"
        ))
        .unwrap();
    verify(world.path(), &mut |_| {}).unwrap().problem.unwrap()
}

#[tokio::test]
async fn verification_names_a_changed_event() {
    let mut world = World::new();
    let [first, _] = history(&mut world).await;
    let report = verify(world.path(), &mut |_| {}).unwrap();
    assert_eq!((report.events, report.chains, report.problem), (2, 1, None));
    assert_eq!((report.heads.len(), report.heads[0].chain_seq), (1, 2));
    let sentence = found(
        &world,
        "UPDATE consumption_ledger SET quantity = 1 WHERE chain_seq = 1",
    )
    .await;
    assert!(sentence.contains(&first.to_string()), "{sentence}");
}

#[tokio::test]
async fn verification_names_a_changed_detail() {
    let mut world = World::new();
    let [_, second] = history(&mut world).await;
    let hex = second.simple();
    let tamper = format!(
        "UPDATE consumption_event_details SET detail_value = 'x' WHERE event_id = x'{hex}'"
    );
    let sentence = found(&world, &tamper).await;
    assert!(sentence.contains(&second.to_string()), "{sentence}");
}

#[tokio::test]
async fn verification_finds_a_removed_event() {
    let mut world = World::new();
    let [_, second] = history(&mut world).await;
    let sentence = found(&world, "DELETE FROM consumption_ledger WHERE chain_seq = 1").await;
    assert!(sentence.contains(&second.to_string()), "{sentence}");
}

#[tokio::test]
async fn verification_finds_that_the_last_event_is_gone() {
    let mut world = World::new();
    history(&mut world).await;
    let sentence = found(&world, "DELETE FROM consumption_ledger WHERE chain_seq = 2").await;
    assert!(sentence.contains("head"), "{sentence}");
}

#[tokio::test]
async fn verification_finds_a_removed_head() {
    let mut world = World::new();
    history(&mut world).await;
    let sentence = found(&world, "DELETE FROM trees").await;
    assert!(sentence.contains("has no head"), "{sentence}");
}

#[tokio::test]
async fn verification_names_a_changed_counter() {
    for granularity in 0..4 {
        let mut world = World::new();
        history(&mut world).await;
        let sentence = found(
            &world,
            &format!(
                "UPDATE usage_buckets SET whole = whole + 1 WHERE granularity = {granularity}"
            ),
        )
        .await;
        assert!(sentence.contains("the use of benchmark_runs"), "{sentence}");
    }
}

#[tokio::test]
async fn verification_works_beside_a_running_store() {
    let mut world = World::new();
    history(&mut world).await;
    let store = world.open();
    let mut told = Vec::new();
    let report = verify(world.path(), &mut |events| told.push(events)).unwrap();
    assert_eq!((report.problem, told), (None, vec![2]));
    store.health().await.unwrap();
}
