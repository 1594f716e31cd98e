//! Accounts that move between trees: what was recorded stays, what is held moves along.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::collections::BTreeMap;

use mec_core::account::AccountStatus;
use mec_core::entitlement::{EntitlementStatus, LimitKind};
use mec_core::ops;
use mec_core::{Command, Namespace, Quantity, Refusal};
use mec_engine::{EngineError, Request, Target};
use support::World;
use uuid::Uuid;

impl World {
    async fn move_to(&self, account: Uuid, parent: Option<Uuid>) -> Result<String, EngineError> {
        let to = ops::move_account::MoveAccount { new_parent: parent };
        let moved = self.call(Target::Account(account), None, Command::MoveAccount(to));
        Ok(moved.await?.body)
    }

    async fn used(&self, account: Uuid, resource: &str) -> String {
        self.check(account, resource).await["quantity_used"].to_string()
    }

    async fn allow(&self, account: Uuid, resource: &str, kind: LimitKind, quantity: i64) {
        let create = ops::entitlement::CreateEntitlement {
            entitlement_id: None,
            resource: resource.into(),
            scope: None,
            limit_kind: kind,
            quantity_allowed: Some(Quantity::from_int(quantity)),
            unit: None,
            effective_start: None,
            effective_end: None,
            window_type: None,
            window_anchor: None,
            usage_from: None,
            priority: 0,
            status: EntitlementStatus::Active,
            conditions: Vec::new(),
        };
        self.call(
            Target::Account(account),
            None,
            Command::CreateEntitlement(create),
        )
        .await
        .unwrap();
    }

    async fn reserve(&self, account: Uuid, key: &str, quantity: i64) -> Uuid {
        let reserve = ops::reserve::Reserve {
            resource: "benchmark_runs".into(),
            scope: None,
            quantity: Quantity::from_int(quantity),
            unit: None,
            context: BTreeMap::new(),
            ttl_seconds: 300,
        };
        let answer = self.call(
            Target::Account(account),
            Some(key),
            Command::Reserve(reserve),
        );
        answer.await.unwrap().made.unwrap()
    }

    async fn correct(&self, event: Uuid, key: &str, quantity: i64) {
        let correct = ops::correct::Correct {
            event_id: event,
            quantity: Quantity::from_int(quantity),
            reason: None,
        };
        self.call(Target::Event(event), Some(key), Command::Correct(correct))
            .await
            .unwrap();
    }
}

/// Acme with a team and a user in it, and Globex.
async fn two_trees(world: &World) -> [Uuid; 4] {
    let acme = world.account(None, "organization").await;
    let team = world.account(Some(acme), "team").await;
    let user = world.account(Some(team), "user").await;
    let globex = world.account(None, "organization").await;
    for owner in [acme, globex] {
        world.provision(owner, "starter").await;
    }
    [acme, team, user, globex]
}

#[tokio::test]
async fn usage_stays_where_it_was_recorded_and_what_comes_counts_above() {
    let world = World::new();
    let [acme, team, user, globex] = two_trees(&world).await;
    world.meter(user, "before", 7).await;
    assert_eq!(world.move_to(team, Some(globex)).await.unwrap(), "true");
    assert_eq!(world.move_to(team, Some(globex)).await.unwrap(), "false");
    world.meter(user, "after", 2).await;
    assert_eq!(world.used(acme, "benchmark_runs").await, "7");
    assert_eq!(world.used(globex, "benchmark_runs").await, "2");
    let world = world.restart().await;
    assert_eq!(world.used(acme, "benchmark_runs").await, "7");
    assert_eq!(world.used(globex, "benchmark_runs").await, "2");
    world.meter(globex, "rest", 98).await;
    assert_eq!(world.consume(user, "over").await["code"], "limit_reached");
    world.engine.close().await;
    let report = mec_store_sqlite::verify(world.dir.path(), &mut |_| {}).unwrap();
    assert_eq!((report.problem, report.events), (None, 3));
}

#[tokio::test]
async fn a_correction_after_the_move_reaches_the_old_levels() {
    let world = World::new();
    let [acme, team, user, globex] = two_trees(&world).await;
    world
        .allow(user, "benchmark_runs", LimitKind::Cumulative, 50)
        .await;
    let event = world.meter(user, "m", 7).await.made.unwrap();
    world.move_to(team, Some(globex)).await.unwrap();
    world.meter(user, "n", 3).await;
    world.correct(event, "c", 5).await;
    assert_eq!(world.used(acme, "benchmark_runs").await, "5");
    assert_eq!(world.used(globex, "benchmark_runs").await, "3");
    assert_eq!(world.used(user, "benchmark_runs").await, "8");
    let world = world.restart().await;
    assert_eq!(world.used(acme, "benchmark_runs").await, "5");
    assert_eq!(world.used(globex, "benchmark_runs").await, "3");
    world.engine.close().await;
    let report = mec_store_sqlite::verify(world.dir.path(), &mut |_| {}).unwrap();
    assert_eq!((report.problem, report.events), (None, 3));
}

#[tokio::test]
async fn leases_and_reservations_move_along_and_tokens_only_rise() {
    let world = World::new();
    let [acme, team, user, globex] = two_trees(&world).await;
    let mut last = 0;
    for _ in 0..2 {
        let lease = world.acquire(user, 60).await;
        last = lease["fencing_token"].as_u64().unwrap();
    }
    for _ in 0..2 {
        world.acquire(globex, 120).await;
    }
    let reservation = world.reserve(user, "r", 30).await;
    world.move_to(team, Some(globex)).await.unwrap();
    let at = |account| world.check(account, "concurrent_users");
    assert_eq!(at(acme).await["quantity_used"], 0);
    let above = at(globex).await;
    assert_eq!(above["quantity_used"], 4, "above the limit of 3");
    assert_eq!(above["decision"], "deny");
    let reserved = |account| world.check(account, "benchmark_runs");
    assert_eq!(reserved(acme).await["quantity_reserved"], 0);
    assert_eq!(reserved(globex).await["quantity_reserved"], 30);
    let commit = ops::reserve::Commit {
        quantity: None,
        reservation_id: reservation,
        details: BTreeMap::new(),
    };
    let target = Target::Reservation(reservation);
    world
        .call(target, None, Command::CommitReservation(commit))
        .await
        .unwrap();
    assert_eq!(reserved(globex).await["quantity_reserved"], 0);
    assert_eq!(world.used(globex, "benchmark_runs").await, "30");
    assert_eq!(world.used(acme, "benchmark_runs").await, "0");
    world.pass(60);
    let lease = world.acquire(globex, 60).await;
    assert_eq!(lease["success"], true);
    assert!(lease["fencing_token"].as_u64().unwrap() > last);
}

#[tokio::test]
async fn an_account_becomes_an_owner_and_comes_back_with_its_chain() {
    let world = World::new();
    let [acme, team, user, _] = two_trees(&world).await;
    world.meter(user, "1", 1).await;
    world.move_to(team, None).await.unwrap();
    world.meter(user, "2", 2).await;
    world.move_to(team, Some(acme)).await.unwrap();
    world.meter(user, "3", 4).await;
    world.move_to(team, None).await.unwrap();
    world.meter(user, "4", 8).await;
    assert_eq!(world.used(acme, "benchmark_runs").await, "5");
    world.engine.close().await;
    let report = mec_store_sqlite::verify(world.dir.path(), &mut |_| {}).unwrap();
    assert_eq!((report.problem, report.events), (None, 4));
}

#[tokio::test]
async fn an_account_moves_to_no_place_that_cannot_be() {
    let world = World::new();
    let [acme, team, user, globex] = two_trees(&world).await;
    let refused = async |account, parent| match world.move_to(account, Some(parent)).await {
        Err(EngineError::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    };
    let below = Refusal::bad_value(
        "parent_account_id",
        "an account that is neither this one nor below it",
    );
    let other = world.account(Some(globex), "user").await;
    let childless = Refusal::ParentHasNoChildren("user".into());
    assert_eq!(refused(team, other).await, childless);
    assert_eq!(refused(acme, user).await, below);
    assert_eq!(refused(acme, team).await, below);
    assert_eq!(refused(team, team).await, below);
    assert_eq!(refused(team, Uuid::now_v7()).await, Refusal::ParentNotFound);
    let mut deepest = globex;
    for _ in 0..14 {
        deepest = world.account(Some(deepest), "team").await;
    }
    assert_eq!(refused(team, deepest).await, Refusal::TooDeep { limit: 16 });
    assert_eq!(world.move_to(user, Some(deepest)).await.unwrap(), "true");
}

#[tokio::test]
async fn an_account_moves_below_one_that_is_created_in_the_same_batch() {
    let world = World::new();
    let [_, team, _, globex] = two_trees(&world).await;
    let parent = Uuid::now_v7();
    let create = ops::account::CreateAccount {
        account_id: parent,
        account_type: "team".into(),
        parent: Some(globex),
        external_id: None,
        display_name: None,
        email: None,
        timezone: None,
        metadata: BTreeMap::new(),
        status: AccountStatus::Active,
    };
    let to = ops::move_account::MoveAccount {
        new_parent: Some(parent),
    };
    let request = |target, command| Request {
        namespace: Namespace::default_namespace(),
        target,
        command,
        key: None,
        by: "test".into(),
        guard: None,
        request_id: None,
        consistency: Default::default(),
    };
    let both = vec![
        request(Target::Account(globex), Command::CreateAccount(create)),
        request(Target::Account(team), Command::MoveAccount(to)),
    ];
    let answers = world.engine.call_all(both).await.unwrap();
    assert_eq!(answers[1].as_ref().unwrap().body, "true");
    let (namespace, moved) = (Namespace::default_namespace(), Target::Account(team));
    let found = world.engine.find(&namespace, &moved, Some(parent)).await;
    assert_eq!(found.unwrap(), Some(team));
}

#[tokio::test]
async fn moves_and_writes_at_once_leave_every_level_exact() {
    let world = std::sync::Arc::new(World::new());
    let [acme, team, user, globex] = two_trees(&world).await;
    let tasks: Vec<_> = (0..60)
        .map(|n| {
            let world = world.clone();
            tokio::spawn(async move {
                if n % 6 == 0 {
                    let to = if n % 12 == 0 { globex } else { acme };
                    world.move_to(team, Some(to)).await.unwrap();
                } else {
                    world.meter(user, &format!("m{n}"), 1).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let used = |text: String| text.parse::<i64>().unwrap();
    let both = used(world.used(acme, "benchmark_runs").await)
        + used(world.used(globex, "benchmark_runs").await);
    assert_eq!(both, 50);
    world.engine.close().await;
    let report = mec_store_sqlite::verify(world.dir.path(), &mut |_| {}).unwrap();
    assert_eq!((report.problem, report.events), (None, 50));
}
