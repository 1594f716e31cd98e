//! Leases and reservations, and what they hold.

use std::sync::Arc;

use mec_core::change::Change;
use mec_core::holds::{Hold, HoldKind};
use mec_core::lease::Lease;
use mec_core::need::{Loaded, Need};
use mec_core::reservation::{GrantHold, Reservation, ReservationStatus};
use mec_core::{Code, Quantity};
use uuid::Uuid;

use super::TestClock;
use super::given::{
    NOW, ONE, OWNER, TEAM, USER, code, commit, family, id, lease, load, namespace, part,
    reservation, seconds_later, touch, tree,
};
use crate::{Batch, CommitSet, Store};

fn levels() -> Vec<Uuid> {
    vec![USER, TEAM, OWNER]
}

fn lease_put(lease: &Lease) -> Change {
    Change::LeasePut {
        lease: Arc::new(lease.clone()),
        levels: levels(),
    }
}

fn reservation_put(reservation: &Reservation, amount: i128) -> Change {
    Change::ReservationPut {
        reservation: Arc::new(reservation.clone()),
        amount,
        levels: levels(),
    }
}

async fn holds<S: Store>(store: &S) -> Vec<Vec<(HoldKind, Code, Hold)>> {
    vec![
        part(store, USER).await.holds,
        part(store, TEAM).await.holds,
        part(store, OWNER).await.holds,
    ]
}

pub async fn a_lease_holds_at_every_level_until_its_moment<S: Store>(store: &S, clock: &TestClock) {
    family(store).await;
    let lease = lease(1, USER, 60);
    commit(store, vec![lease_put(&lease)]).await;
    let hold = Hold {
        id: lease.lease_id,
        scope: Some(code("eu")),
        amount: 2 * ONE,
        created_at: NOW,
        expires_at: seconds_later(60),
        grants: std::iter::empty().collect(),
    };
    let held = vec![(HoldKind::Lease, code("concurrent_users"), hold)];
    clock.set(seconds_later(60).saturating_add_micros(-1));
    assert_eq!(holds(store).await, vec![held.clone(); 3]);
    assert_eq!(part(store, USER).await.leases, [Arc::new(lease)]);
    assert!(part(store, TEAM).await.leases.is_empty());
    clock.set(seconds_later(60));
    assert_eq!(
        holds(store).await,
        vec![held; 3],
        "the clock may yet be set back"
    );
    touch(store, seconds_later(60)).await;
    assert_eq!(holds(store).await, vec![Vec::new(); 3]);
    assert!(part(store, USER).await.leases.is_empty());
}

pub async fn a_heartbeat_extends_every_level<S: Store>(store: &S, clock: &TestClock) {
    family(store).await;
    let mut lease = lease(1, USER, 60);
    commit(store, vec![lease_put(&lease)]).await;
    lease.expires_at = seconds_later(600);
    lease.last_heartbeat = seconds_later(30);
    commit(store, vec![lease_put(&lease)]).await;
    clock.set(seconds_later(599));
    assert_eq!(part(store, USER).await.leases, [Arc::new(lease)]);
    for held in holds(store).await {
        assert_eq!(
            held.iter()
                .map(|(.., hold)| hold.expires_at)
                .collect::<Vec<_>>(),
            [seconds_later(600)]
        );
    }
}

pub async fn a_released_lease_holds_nothing<S: Store>(store: &S, _clock: &TestClock) {
    family(store).await;
    let mut first = lease(1, USER, 60);
    let mut second = lease(2, USER, 60);
    (
        second.session_token,
        second.session_metadata,
        second.resource_scope,
    ) = (None, None, None);
    commit(store, vec![lease_put(&first), lease_put(&second)]).await;
    first.released_at = Some(NOW);
    commit(store, vec![lease_put(&first)]).await;
    assert_eq!(part(store, USER).await.leases, [Arc::new(second)]);
    for held in holds(store).await {
        assert_eq!(
            held.iter().map(|(.., hold)| hold.id).collect::<Vec<_>>(),
            [id(2)]
        );
    }
}

pub async fn a_reservation_holds_until_its_moment<S: Store>(store: &S, clock: &TestClock) {
    family(store).await;
    let mut reservation = reservation(1, USER);
    let hold = |level, window: &str, amount| GrantHold {
        level,
        window_type_code: code(window),
        amount,
    };
    reservation.grant_holds = vec![
        hold(TEAM, "calendar_month", 1 << 70),
        hold(OWNER, "none", 5),
        hold(TEAM, "none", 6),
    ];
    // More than 64 bits of millionths.
    commit(store, vec![reservation_put(&reservation, 1 << 72)]).await;
    clock.set(seconds_later(300).saturating_add_micros(-1));
    assert_eq!(
        part(store, USER).await.reservations,
        [Arc::new(reservation.clone())]
    );
    let held = holds(store).await;
    assert!(held.iter().all(|held| held.len() == 1
        && held[0].0 == HoldKind::Reservation
        && held[0].2.amount == 1 << 72));
    let grants: Vec<Vec<_>> = held.iter().map(|held| held[0].2.grants.to_vec()).collect();
    let (month, none) = (code("calendar_month"), code("none"));
    assert_eq!(
        grants,
        [
            vec![],
            vec![(month, 1 << 70), (none.clone(), 6)],
            vec![(none, 5)]
        ]
    );
    clock.set(seconds_later(300));
    touch(store, seconds_later(300)).await;
    assert!(part(store, USER).await.reservations.is_empty());
    assert_eq!(holds(store).await, vec![Vec::new(); 3]);
    let loaded = load(store, &namespace(), Need::Reservation(id(1))).await;
    assert!(
        matches!(&loaded, Loaded::Reservation(Some(kept)) if **kept == reservation),
        "{loaded:?}"
    );
}

pub async fn a_reservation_that_ended_holds_nothing_and_is_kept<S: Store>(
    store: &S,
    _clock: &TestClock,
) {
    family(store).await;
    for (number, status) in [
        (1, ReservationStatus::Committed),
        (2, ReservationStatus::Released),
    ] {
        let mut reservation = reservation(number, USER);
        commit(store, vec![reservation_put(&reservation, ONE)]).await;
        reservation.status = status;
        reservation.event_id = Some(id(50));
        reservation.committed_quantity = Some(Quantity::from_micros(1_500_000));
        commit(store, vec![reservation_put(&reservation, ONE)]).await;
        assert!(part(store, USER).await.reservations.is_empty());
        let loaded = load(store, &namespace(), Need::Reservation(id(number))).await;
        assert!(
            matches!(&loaded, Loaded::Reservation(Some(kept)) if **kept == reservation),
            "{loaded:?}"
        );
    }
    assert_eq!(holds(store).await, vec![Vec::new(); 3]);
    let loaded = load(store, &namespace(), Need::Reservation(id(3))).await;
    assert!(matches!(loaded, Loaded::Reservation(None)), "{loaded:?}");
}

/// However a store sweeps what ended, it takes nothing that lasts, also when the clock steps back.
pub async fn many_short_leases_leave_nothing_behind<S: Store>(store: &S, clock: &TestClock) {
    family(store).await;
    commit(store, vec![lease_put(&lease(1, USER, 1_000))]).await;
    for round in 1..=20 {
        clock.set(seconds_later(round));
        let short = (0..5).map(|n| lease(100 * round as u128 + n, USER, round + 1));
        let mut changed = tree(
            &namespace(),
            OWNER,
            false,
            short.map(|lease| lease_put(&lease)).collect(),
        );
        changed.head.last_at = seconds_later(round);
        let set = CommitSet {
            trees: vec![changed],
            ..CommitSet::default()
        };
        store
            .begin(0, &[], &[])
            .await
            .unwrap()
            .commit(set)
            .await
            .unwrap();
        assert_eq!(
            holds(store).await.iter().map(Vec::len).collect::<Vec<_>>(),
            [6; 3]
        );
    }
    clock.set(seconds_later(500));
    touch(store, seconds_later(500)).await;
    assert_eq!(
        holds(store).await.iter().map(Vec::len).collect::<Vec<_>>(),
        [1; 3]
    );
    clock.set(seconds_later(19));
    assert!(
        holds(store)
            .await
            .iter()
            .all(|held| held.iter().any(|(.., hold)| hold.id == id(1)))
    );
}
