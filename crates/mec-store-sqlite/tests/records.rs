//! Events with their corrections and draws, and holds until they end.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::cloned_ref_to_slice_refs,
    reason = "a test that cannot go on has failed"
)]

mod common;

use std::sync::Arc;

use common::{NOW, World, code, namespace, part, planted, time, whole};
use mec_core::change::Change;
use mec_core::grant::{Draw, Grant};
use mec_core::holds::HoldKind;
use mec_core::lease::Lease;
use mec_core::need::{Loaded, Need};
use mec_core::reservation::{GrantHold, Reservation, ReservationStatus};
use mec_core::usage::CounterKey;
use mec_core::{Quantity, Timestamp};
use mec_store::{Locator, Place, Store};
use mec_store_sqlite::verify;
use uuid::Uuid;

fn draw(grant: &Grant, amount: i128) -> Draw {
    Draw {
        grant_id: grant.grant_id,
        level: grant.account_id,
        window_type_code: grant.window_type_code.clone(),
        grant_expires_at: grant.expires_at,
        amount,
    }
}

fn drawn_for(level: Uuid, scope: Option<&str>, amount: i64) -> Change {
    Change::UsageAdded {
        level,
        resource: code("benchmark_runs"),
        scope: scope.map(code),
        drawn_for: Some(code("calendar_month")),
        bucket: time(NOW),
        amount: whole(amount),
    }
}

#[tokio::test]
async fn events_carry_their_corrections_and_draws() {
    let mut world = World::new();
    let store = world.open();
    let (mut tree, owner, child) = planted(&mut world, &store).await;
    let grant = |id: Uuid, remaining: i64| Grant {
        grant_id: id,
        account_id: owner,
        resource_type_code: code("benchmark_runs"),
        resource_scope: None,
        window_type_code: code("calendar_month"),
        quantity: Quantity::from_int(10),
        unit_code: code("count"),
        remaining: whole(remaining),
        priority: 1,
        expires_at: Some(time("2026-06-01T00:00:00Z")),
        reason: Some("sorry".to_owned()),
        voided_at: None,
        created_at: time(NOW),
    };
    // The ids are in the opposite order of the draws.
    let (late, early) = (world.id(), world.id());
    let (first, second) = (grant(early, 10), grant(late, 10));
    let id = world.id();
    let mut changes = vec![
        Change::GrantPut(first.clone()),
        Change::GrantPut(second.clone()),
    ];
    changes.extend(tree.event(id, &[child, owner], "benchmark_runs", Some("eu"), 7, NOW));
    for (grant, amount, left) in [(&first, 4, 6), (&second, 2, 8)] {
        changes.push(Change::Drawn {
            event_id: id,
            draw: draw(grant, whole(amount)),
            grant_remaining: whole(left),
        });
        changes.push(drawn_for(owner, Some("eu"), amount));
    }
    tree.commit(&store, changes).await.unwrap();
    let facts = match common::load(&store, owner, Need::Event(id)).await {
        Loaded::Event(Some(facts)) => *facts,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        (facts.net, facts.event.details.len(), facts.event.chain_seq),
        (whole(7), 1, 1)
    );
    assert_eq!(facts.event.recorded_under, [owner]);
    assert_eq!(
        facts.draws,
        [draw(&first, whole(4)), draw(&second, whole(2))]
    );

    let mut correction = tree.event(
        world.id(),
        &[child, owner],
        "benchmark_runs",
        Some("eu"),
        -3,
        NOW,
    );
    let Some(Change::EventRecorded { event, amount }) = correction.pop() else {
        panic!("no event")
    };
    let mut event = (*event).clone();
    event.corrects_event_id = Some(id);
    event.chain_hash = mec_core::chain::event_hash(&facts.event.chain_hash, &event);
    tree.head.chain_hash = event.chain_hash;
    correction.push(Change::EventRecorded {
        event: Arc::new(event),
        amount,
    });
    correction.push(Change::Drawn {
        event_id: id,
        draw: draw(&second, whole(-2)),
        grant_remaining: whole(10),
    });
    correction.push(drawn_for(owner, Some("eu"), -2));
    tree.commit(&store, correction).await.unwrap();
    let Loaded::Event(Some(facts)) = common::load(&store, owner, Need::Event(id)).await else {
        panic!("no event")
    };
    assert_eq!(
        (facts.net, facts.draws),
        (whole(4), vec![draw(&first, whole(4))])
    );

    let rows = part(&store, owner, owner).await;
    let remaining: Vec<i128> = rows.grants.iter().map(|grant| grant.remaining).collect();
    assert_eq!(remaining, [whole(10), whole(6)]);
    assert_eq!(
        rows.granted_ever,
        [(code("benchmark_runs"), code("calendar_month"))]
    );
    let spent = Grant {
        remaining: 0,
        ..first.clone()
    };
    tree.commit(&store, vec![Change::GrantPut(spent.clone())])
        .await
        .unwrap();
    assert_eq!(part(&store, owner, owner).await.grants, [second.clone()]);
    assert!(
        matches!(common::load(&store, owner, Need::Grant(early)).await, Loaded::Grant(Some(found)) if found == spent)
    );
    world.clock.set("2026-06-01T00:00:00Z");
    assert_eq!(
        part(&store, owner, owner).await.grants,
        [second.clone()],
        "a lapsed grant stays for what occurred before its end"
    );

    let report = verify(world.path(), &mut |_| {}).unwrap();
    assert_eq!((report.problem, report.events), (None, 2));
    world
        .raw()
        .execute("UPDATE grant_draws SET whole = 3 WHERE whole = 4", [])
        .unwrap();
    let problem = verify(world.path(), &mut |_| {}).unwrap().problem.unwrap();
    assert!(problem.contains("drawn from grants"), "{problem}");
}

#[tokio::test]
async fn holds_count_at_every_level_until_they_end() {
    let mut world = World::new();
    let store = world.open();
    let (mut tree, owner, child) = planted(&mut world, &store).await;
    let lease = Lease {
        lease_id: world.id(),
        account_id: child,
        resource_type_code: code("concurrent_users"),
        resource_scope: None,
        slots: 2,
        fencing_token: 1,
        acquired_at: time(NOW),
        expires_at: time("2026-05-04T11:00:00Z"),
        last_heartbeat: time(NOW),
        released_at: None,
        session_token: Some("s".to_owned()),
        session_metadata: Some("{}".to_owned()),
        ttl_seconds: 3600,
        decision: "{}".to_owned(),
    };
    let reservation = Reservation {
        reservation_id: world.id(),
        account_id: child,
        resource_type_code: code("gpu_hours"),
        resource_scope: Some(code("a100")),
        quantity: Quantity::from_int(1),
        unit_code: code("hours"),
        created_at: time(NOW),
        expires_at: time("2026-05-04T10:30:00Z"),
        status: ReservationStatus::Open,
        event_id: None,
        committed_quantity: None,
        grant_holds: vec![
            GrantHold {
                level: child,
                window_type_code: code("calendar_month"),
                amount: whole(5),
            },
            GrantHold {
                level: owner,
                window_type_code: code("rolling_7d"),
                amount: whole(60),
            },
        ],
    };
    let levels = vec![child, owner];
    let put_lease = |lease: &Lease| Change::LeasePut {
        lease: Arc::new(lease.clone()),
        levels: levels.clone(),
    };
    let put_reservation = |reservation: &Reservation| Change::ReservationPut {
        reservation: Arc::new(reservation.clone()),
        amount: whole(60),
        levels: levels.clone(),
    };
    tree.commit(
        &store,
        vec![put_lease(&lease), put_reservation(&reservation)],
    )
    .await
    .unwrap();
    let own = part(&store, owner, child).await;
    assert_eq!(
        own.leases.iter().map(|l| (**l).clone()).collect::<Vec<_>>(),
        [lease.clone()]
    );
    assert_eq!(
        own.reservations
            .iter()
            .map(|r| (**r).clone())
            .collect::<Vec<_>>(),
        [reservation.clone()]
    );
    let above = part(&store, owner, owner).await;
    assert!(above.leases.is_empty() && above.reservations.is_empty());
    for (rows, grants) in [(&own, ("calendar_month", 5)), (&above, ("rolling_7d", 60))] {
        assert_eq!(rows.holds.len(), 2);
        for (kind, resource, hold) in &rows.holds {
            match kind {
                HoldKind::Lease => assert_eq!(
                    (&**resource, hold.amount, hold.grants.len()),
                    ("concurrent_users", whole(2), 0)
                ),
                HoldKind::Reservation => {
                    assert_eq!(
                        (hold.amount, hold.scope.as_deref()),
                        (whole(60), Some("a100"))
                    );
                    assert_eq!(hold.grants.to_vec(), [(code(grants.0), whole(grants.1))]);
                }
            }
        }
    }

    world.clock.set("2026-05-04T10:30:00Z");
    tree.commit(&store, Vec::new()).await.unwrap();
    assert!(
        part(&store, owner, child).await.reservations.is_empty(),
        "ended at its expiry"
    );
    assert_eq!(part(&store, owner, owner).await.holds.len(), 1);
    let longer = Lease {
        expires_at: time("2026-05-04T12:00:00Z"),
        last_heartbeat: time("2026-05-04T10:30:00Z"),
        ..lease.clone()
    };
    tree.commit(&store, vec![put_lease(&longer)]).await.unwrap();
    let stored: i64 = world
        .raw()
        .query_row("SELECT count(*) FROM open_holds", [], |row| row.get(0))
        .unwrap();
    assert_eq!(stored, 2, "what has ended of the tree went along");
    world.clock.set("2026-05-04T11:30:00Z");
    assert_eq!(*part(&store, owner, child).await.leases[0], longer);

    let released = Lease {
        released_at: Some(time("2026-05-04T11:30:00Z")),
        ..longer
    };
    let committed = Reservation {
        status: ReservationStatus::Committed,
        event_id: Some(world.id()),
        committed_quantity: Some(Quantity::from_micros(1_500_000)),
        ..reservation.clone()
    };
    tree.commit(
        &store,
        vec![put_lease(&released), put_reservation(&committed)],
    )
    .await
    .unwrap();
    let rows = part(&store, owner, owner).await;
    assert!(rows.holds.is_empty());
    let need = Need::Reservation(reservation.reservation_id);
    assert!(
        matches!(common::load(&store, owner, need).await, Loaded::Reservation(Some(found)) if *found == committed)
    );
    let place = Some(Place {
        account: child,
        tree: owner,
    });
    for locator in [
        Locator::Lease(released.lease_id),
        Locator::Reservation(reservation.reservation_id),
    ] {
        assert_eq!(store.find(&namespace(), locator).await.unwrap(), place);
    }
}

#[tokio::test]
async fn rolling_sums_come_by_hour_and_by_minute() {
    let mut world = World::new();
    let store = world.open();
    let (mut tree, owner, _) = planted(&mut world, &store).await;
    for at in [
        "2026-05-04T08:10:00Z",
        "2026-05-04T09:59:59Z",
        "2026-05-04T10:00:00Z",
        "2026-05-04T10:00:59Z",
        "2026-05-04T10:07:00Z",
    ] {
        let changes = tree.event(world.id(), &[owner], "benchmark_runs", None, 1, at);
        tree.commit(&store, changes).await.unwrap();
    }
    let counter = CounterKey {
        resource: code("benchmark_runs"),
        scope: None,
        drawn_for: None,
    };
    let hour = time("2026-05-04T10:00:00Z");
    let need = Need::Rolling {
        level: owner,
        counter,
        from_hour: time("2026-05-04T09:00:00Z"),
        minutes_of: hour,
    };
    let Loaded::Rolling { hours, minutes } = common::load(&store, owner, need).await else {
        panic!("not rolling")
    };
    assert_eq!(
        hours,
        [(time("2026-05-04T09:00:00Z"), whole(1)), (hour, whole(3))]
    );
    assert_eq!(
        minutes,
        [
            (hour, whole(2)),
            (
                hour.saturating_add_micros(7 * Timestamp::MICROS_PER_MINUTE),
                whole(1)
            )
        ]
    );
}
