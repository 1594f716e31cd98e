//! Accounts that move, with what they hold.

use std::sync::Arc;

use mec_core::change::{AccountMove, Change};
use mec_core::holds::{Hold, HoldKind};
use mec_core::need::{Loaded, Need};
use mec_core::reservation::GrantHold;
use mec_core::{Code, Namespace};
use uuid::Uuid;

use super::TestClock;
use super::given::{
    ONE, OWNER, TEAM, USER, account, code, commit, commit_set, counter, created, event, family, id,
    lease, load, namespace, part, recorded, reservation, seconds_later, sum, time, touch, tree,
};
use crate::{Batch, CommitSet, Locator, SeriesBucket, SeriesGroup, SeriesQuery, Store};

/// The owner of another tree.
const OTHER: Uuid = Uuid::from_u128(0x50);

/// Owner, team and user with a lease and a reservation of the user's; and another tree.
async fn two_trees<S: Store>(store: &S) {
    family(store).await;
    let other = vec![created(account(OTHER, None))];
    let trees = vec![tree(&namespace(), OTHER, true, other)];
    let set = CommitSet {
        trees,
        ..CommitSet::default()
    };
    commit_set(store, set).await.unwrap();
    let levels = vec![USER, TEAM, OWNER];
    let mut reservation = reservation(2, USER);
    reservation.grant_holds = [TEAM, OWNER]
        .map(|level| GrantHold {
            level,
            window_type_code: code("calendar_month"),
            amount: 5,
        })
        .into();
    let held = vec![
        Change::LeasePut {
            lease: Arc::new(lease(1, USER, 60)),
            levels: levels.clone(),
        },
        Change::ReservationPut {
            reservation: Arc::new(reservation),
            amount: 180 * ONE,
            levels,
        },
    ];
    commit(store, held).await;
}

fn moved(account_id: Uuid, was_under: &[Uuid], is_under: &[Uuid], to_tree: Uuid) -> Change {
    let mut row = account(account_id, is_under.first().copied());
    row.updated_at = seconds_later(5);
    Change::AccountMoved(AccountMove {
        account: Arc::new(row),
        was_under: was_under.to_vec(),
        is_under: is_under.to_vec(),
        from_tree: OWNER,
        to_tree,
    })
}

async fn commit_to<S: Store>(store: &S, to_tree: Uuid, is_new: bool, change: Change) {
    let trees = vec![tree(&namespace(), to_tree, is_new, vec![change])];
    let set = CommitSet {
        trees,
        ..CommitSet::default()
    };
    commit_set(store, set).await.unwrap();
}

async fn held<S: Store>(store: &S, level: Uuid) -> Vec<(HoldKind, Code, Hold)> {
    let mut held = part(store, level).await.holds;
    held.sort_by_key(|(kind, _, _)| *kind);
    held
}

async fn tree_of<S: Store>(store: &S, account: Uuid) -> Uuid {
    let found = store.find(&namespace(), Locator::Account(account)).await;
    let place = found.unwrap().unwrap();
    assert_eq!(part(store, account).await.tree_id, place.tree);
    place.tree
}

pub async fn a_subtree_joins_another_tree_with_what_it_holds<S: Store>(
    store: &S,
    _clock: &TestClock,
) {
    two_trees(store).await;
    let before = held(store, TEAM).await;
    assert_eq!(before.len(), 2);
    commit_to(store, OTHER, false, moved(TEAM, &[OWNER], &[OTHER], OTHER)).await;
    assert_eq!(tree_of(store, USER).await, OTHER);
    assert_eq!(tree_of(store, TEAM).await, OTHER);
    assert_eq!(tree_of(store, OWNER).await, OWNER);
    let row = part(store, TEAM).await.account;
    assert_eq!(row.parent_account_id, Some(OTHER));
    assert_eq!(row.updated_at, seconds_later(5));
    let above = store.ancestors(&namespace(), USER).await.unwrap();
    assert_eq!(above, [USER, TEAM, OTHER]);
    assert_eq!(held(store, OWNER).await, []);
    assert_eq!(held(store, TEAM).await, before);
    let at_other = held(store, OTHER).await;
    let amounts = |held: &[(HoldKind, Code, Hold)]| {
        let amount = |(kind, _, hold): &(HoldKind, Code, Hold)| (*kind, hold.id, hold.amount);
        held.iter().map(amount).collect::<Vec<_>>()
    };
    assert_eq!(amounts(&at_other), amounts(&before));
    assert!(at_other.iter().all(|(_, _, hold)| hold.grants.is_empty()));
    let open = part(store, USER).await.reservations;
    let levels: Vec<Uuid> = open[0].grant_holds.iter().map(|held| held.level).collect();
    assert_eq!(levels, [TEAM], "nothing is held of a grant it left");
}

pub async fn a_move_within_a_tree_keeps_what_is_held_above<S: Store>(
    store: &S,
    _clock: &TestClock,
) {
    two_trees(store).await;
    let before = held(store, OWNER).await;
    commit_to(
        store,
        OWNER,
        false,
        moved(USER, &[TEAM, OWNER], &[OWNER], OWNER),
    )
    .await;
    assert_eq!(held(store, OWNER).await, before);
    assert_eq!(held(store, TEAM).await, []);
    assert_eq!(tree_of(store, USER).await, OWNER);
}

pub async fn an_account_becomes_the_owner_of_a_tree<S: Store>(store: &S, _clock: &TestClock) {
    two_trees(store).await;
    commit_to(store, TEAM, true, moved(TEAM, &[OWNER], &[], TEAM)).await;
    assert_eq!(tree_of(store, USER).await, TEAM);
    assert_eq!(part(store, TEAM).await.account.parent_account_id, None);
    assert_eq!(held(store, OWNER).await, []);
    assert_eq!(held(store, TEAM).await.len(), 2);
}

pub async fn what_was_recorded_stays_where_it_was_recorded<S: Store>(
    store: &S,
    _clock: &TestClock,
) {
    two_trees(store).await;
    let event = event(9, USER, &[TEAM, OWNER], 2, time("2026-03-01T11:00:00Z"));
    commit(store, recorded(event.clone())).await;
    commit_to(store, OTHER, false, moved(TEAM, &[OWNER], &[OTHER], OTHER)).await;
    for (level, used) in [(OWNER, 120), (TEAM, 120), (USER, 120), (OTHER, 0)] {
        let sum = sum(store, level, counter(None), None, None).await;
        assert_eq!(sum, used * ONE, "{level}");
    }
    for (level, expected) in [(OWNER, Some(USER)), (TEAM, Some(USER)), (OTHER, None)] {
        let query = SeriesQuery {
            namespace: namespace(),
            account: level,
            resource: event.resource_type_code.clone(),
            from: time("2026-03-01T00:00:00Z"),
            to: time("2026-03-02T00:00:00Z"),
            bucket: SeriesBucket::Day,
            group_by: Some(SeriesGroup::Account),
            limit: 10,
        };
        let rows = store.series(query).await.unwrap();
        let groups: Vec<_> = rows.into_iter().map(|row| row.group).collect();
        let expected: Vec<_> = expected.iter().map(|id| Some(id.to_string())).collect();
        assert_eq!(groups, expected, "{level}");
    }
    match load(store, &namespace(), Need::Event(id(9))).await {
        Loaded::Event(Some(facts)) => assert_eq!(facts.event, event),
        other => panic!("{other:?}"),
    }
}

pub async fn levels_below_are_counted<S: Store>(store: &S, _clock: &TestClock) {
    family(store).await;
    let namespace: Namespace = namespace();
    for (account, below) in [(OWNER, 2), (TEAM, 1), (USER, 0)] {
        match load(store, &namespace, Need::LevelsBelow(account)).await {
            Loaded::LevelsBelow(levels) => assert_eq!(levels, below),
            other => panic!("{other:?}"),
        }
    }
}

pub async fn a_move_into_another_tree_than_the_committed_one_is_refused<S: Store>(
    store: &S,
    _clock: &TestClock,
) {
    two_trees(store).await;
    let change = moved(TEAM, &[OWNER], &[OTHER], OTHER);
    let trees = vec![tree(&namespace(), OWNER, false, vec![change])];
    let set = CommitSet {
        trees,
        ..CommitSet::default()
    };
    let batch = store.begin(0, &[], &[]).await.unwrap();
    assert!(batch.commit(set).await.is_err());
    assert_eq!(tree_of(store, TEAM).await, OWNER);
}

pub async fn what_a_tree_holds_ends_by_its_own_time<S: Store>(store: &S, clock: &TestClock) {
    two_trees(store).await;
    let lease = lease(3, OTHER, 60);
    let put = Change::LeasePut {
        lease: Arc::new(lease),
        levels: vec![OTHER],
    };
    commit_to(store, OTHER, false, put).await;
    clock.set(seconds_later(120));
    touch(store, seconds_later(120)).await;
    // Loaded for a command of the tree whose time has passed it.
    assert_eq!(held(store, OTHER).await.len(), 1);
    assert_eq!(part(store, OTHER).await.leases.len(), 1);
    assert_eq!(held(store, OWNER).await.len(), 1, "a reservation");
}
