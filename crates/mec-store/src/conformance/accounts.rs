//! Accounts, their trees and their names.

use std::sync::Arc;

use mec_core::account::AccountStatus;
use mec_core::change::Change;

use super::TestClock;
use super::given::{
    NOW, OWNER, TEAM, USER, account, commit, created, entitlement, entitlement_put, event, family,
    grant, id, lease, namespace, other_namespace, part, recorded, reservation, seconds_later, tree,
    try_commit,
};
use crate::{Batch, CommitError, CommitSet, Locator, Place, Store};

fn external(name: &str) -> Locator {
    Locator::External(name.into())
}

pub async fn an_account_is_found_by_its_names<S: Store>(store: &S, _clock: &TestClock) {
    family(store).await;
    let mut named = account(id(0x40), Some(OWNER));
    named.external_id = Some("Acme, Inc.".into());
    commit(store, vec![created(named.clone())]).await;
    let place = Some(Place {
        account: named.account_id,
        tree: OWNER,
    });
    let find = async |locator| store.find(&namespace(), locator).await.unwrap();
    assert_eq!(find(Locator::Account(named.account_id)).await, place);
    assert_eq!(find(external("Acme, Inc.")).await, place);
    assert_eq!(find(external("acme, inc.")).await, None);
    assert_eq!(find(Locator::Account(id(0x41))).await, None);
    assert_eq!(part(store, named.account_id).await.account, Arc::new(named));
}

pub async fn ancestors_are_told_nearest_first<S: Store>(store: &S, _clock: &TestClock) {
    family(store).await;
    assert_eq!(
        store.ancestors(&namespace(), USER).await.unwrap(),
        [USER, TEAM, OWNER]
    );
    assert_eq!(store.ancestors(&namespace(), OWNER).await.unwrap(), [OWNER]);
    assert!(
        store
            .ancestors(&namespace(), id(99))
            .await
            .unwrap()
            .is_empty()
    );
    assert!(
        store
            .ancestors(&other_namespace(), USER)
            .await
            .unwrap()
            .is_empty()
    );
}

pub async fn an_external_id_is_unique_in_its_namespace<S: Store>(store: &S, _clock: &TestClock) {
    let mut first = account(OWNER, None);
    first.external_id = Some("one".into());
    try_commit(store, true, vec![created(first.clone())])
        .await
        .unwrap();
    let mut second = account(TEAM, Some(OWNER));
    second.external_id = Some("one".into());
    let refused = try_commit(store, false, vec![created(second.clone())]).await;
    assert!(
        matches!(
            refused,
            Err(CommitError::Refused {
                command: None | Some(0),
                overflow: false,
                ..
            })
        ),
        "{refused:?}"
    );
    let elsewhere = tree(&other_namespace(), OWNER, true, vec![created(first)]);
    let set = CommitSet {
        trees: vec![elsewhere],
        ..CommitSet::default()
    };
    store
        .begin(0, &[], &[])
        .await
        .unwrap()
        .commit(set)
        .await
        .unwrap();
    second.external_id = None;
    let mut third = account(USER, Some(OWNER));
    third.external_id = None;
    commit(store, vec![created(second), created(third)]).await;
}

pub async fn an_account_keeps_its_parent_when_updated<S: Store>(store: &S, _clock: &TestClock) {
    family(store).await;
    let mut changed = account(TEAM, Some(OWNER));
    changed.external_id = Some("new".into());
    changed.display_name = None;
    changed.email = Some("team@example.com".into());
    changed.timezone = None;
    changed.metadata.clear();
    changed.status = AccountStatus::Suspended;
    changed.updated_at = seconds_later(1);
    commit(
        store,
        vec![Change::AccountUpdated(Arc::new(changed.clone()))],
    )
    .await;
    assert_eq!(part(store, TEAM).await.account, Arc::new(changed));
    let place = Some(Place {
        account: TEAM,
        tree: OWNER,
    });
    assert_eq!(
        store.find(&namespace(), external("new")).await.unwrap(),
        place
    );
    let unknown = Change::AccountUpdated(Arc::new(account(id(99), None)));
    let refused = try_commit(store, false, vec![unknown]).await;
    assert!(
        matches!(
            refused,
            Err(CommitError::Refused {
                command: None | Some(0),
                ..
            })
        ),
        "{refused:?}"
    );
}

pub async fn a_child_of_nobody_is_refused<S: Store>(store: &S, _clock: &TestClock) {
    let refused = try_commit(store, true, vec![created(account(OWNER, Some(id(99))))]).await;
    assert!(
        matches!(
            refused,
            Err(CommitError::Refused {
                command: None | Some(0),
                ..
            })
        ),
        "{refused:?}"
    );
}

pub async fn things_are_found_at_their_account<S: Store>(store: &S, _clock: &TestClock) {
    family(store).await;
    let levels = vec![USER, TEAM, OWNER];
    let mut changes = recorded(event(1, USER, &[TEAM, OWNER], 1, NOW));
    changes.push(Change::GrantPut(grant(2, USER, 5)));
    changes.push(Change::LeasePut {
        lease: Arc::new(lease(3, USER, 60)),
        levels: levels.clone(),
    });
    changes.push(Change::ReservationPut {
        reservation: Arc::new(reservation(4, USER)),
        amount: 5,
        levels,
    });
    changes.push(entitlement_put(None, &entitlement(5, USER), 6));
    commit(store, changes).await;
    let locators = [
        Locator::Event(id(1)),
        Locator::Grant(id(2)),
        Locator::Lease(id(3)),
        Locator::Reservation(id(4)),
        Locator::Entitlement(id(5)),
    ];
    let place = Some(Place {
        account: USER,
        tree: OWNER,
    });
    let mut batch = store.begin(0, &[], &[]).await.unwrap();
    assert_eq!(
        batch.locate(&namespace(), &locators).await.unwrap(),
        [place; 5]
    );
    assert_eq!(
        batch.locate(&other_namespace(), &locators).await.unwrap(),
        [None; 5]
    );
    let mixed_up = [
        Locator::Event(id(2)),
        Locator::Grant(id(3)),
        Locator::Lease(id(4)),
        Locator::Reservation(id(1)),
        Locator::Entitlement(id(1)),
    ];
    assert_eq!(
        batch.locate(&namespace(), &mixed_up).await.unwrap(),
        [None; 5]
    );
}
