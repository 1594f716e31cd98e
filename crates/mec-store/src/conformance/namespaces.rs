//! Namespaces: the same ids in two of them never meet.

use std::sync::Arc;

use mec_core::change::Change;
use mec_core::need::{Loaded, Need};
use mec_core::{Namespace, Quantity};

use super::TestClock;
use super::given::{
    NOW, ONE, OWNER, RESOURCE, account, code, commit_set, counter, created, entitlement,
    entitlement_put, event, grant, id, lease, load, namespace, other_namespace, recorded,
    reservation, tree,
};
use crate::{CommitSet, Locator, SeriesBucket, SeriesQuery, Store, UsageQuery};

/// Everything there is, under the same ids in every namespace, with another number in it.
fn everything(namespace: &Namespace, n: i64) -> CommitSet {
    let micros = i128::from(n);
    let mut account = account(OWNER, None);
    account.external_id = Some("same".into());
    account.display_name = Some(namespace.to_string());
    let mut entitlement = entitlement(1, OWNER);
    entitlement.quantity_allowed = Some(Quantity::from_int(n));
    let mut event = event(2, OWNER, &[], n, NOW);
    event.namespace_id = namespace.clone();
    let mut lease = lease(4, OWNER, 60);
    lease.fencing_token = n as u64;
    let mut reservation = reservation(5, OWNER);
    reservation.quantity = Quantity::from_int(n);
    let mut changes = vec![created(account), entitlement_put(None, &entitlement, 11)];
    changes.extend(recorded(event));
    changes.extend([
        Change::GrantPut(grant(3, OWNER, micros)),
        Change::LeasePut {
            lease: Arc::new(lease),
            levels: vec![OWNER],
        },
        Change::ReservationPut {
            reservation: Arc::new(reservation),
            amount: micros,
            levels: vec![OWNER],
        },
        Change::ScopeSeen {
            resource: code(RESOURCE),
            scope: code(namespace.as_str()),
        },
        Change::OwnTotalAdded {
            level: OWNER,
            resource: code(RESOURCE),
            scope: None,
            amount: micros,
        },
    ]);
    let mut tree = tree(namespace, OWNER, true, changes);
    tree.head.version = n as u64;
    CommitSet {
        trees: vec![tree],
        ..CommitSet::default()
    }
}

pub async fn the_same_ids_in_two_namespaces_never_meet<S: Store>(store: &S, _clock: &TestClock) {
    let spaces = [(namespace(), 3), (other_namespace(), 5)];
    let mut both = CommitSet::default();
    for (namespace, n) in &spaces {
        both.trees.extend(everything(namespace, *n).trees);
    }
    commit_set(store, both).await.unwrap();
    for (namespace, n) in &spaces {
        check(store, namespace, *n).await;
    }
    let empty = Namespace::parse("third").unwrap();
    assert_eq!(
        store
            .find(&empty, Locator::External("same".into()))
            .await
            .unwrap(),
        None
    );
    let needs = [
        Need::Part(OWNER),
        Need::Event(id(2)),
        Need::Reservation(id(5)),
        Need::Grant(id(3)),
    ];
    for need in needs {
        let loaded = load(store, &empty, need).await;
        let nothing = matches!(
            loaded,
            Loaded::Part(None)
                | Loaded::Event(None)
                | Loaded::Reservation(None)
                | Loaded::Grant(None)
        );
        assert!(nothing, "{loaded:?}");
    }
    let loaded = load(
        store,
        &empty,
        Need::Sum {
            level: OWNER,
            counter: counter(None),
            from: None,
            to: None,
        },
    )
    .await;
    assert!(matches!(loaded, Loaded::Sum(0)), "{loaded:?}");
}

async fn check<S: Store>(store: &S, namespace: &Namespace, n: i64) {
    let (quantity, micros, hours) = (
        Quantity::from_int(n),
        i128::from(n),
        i128::from(n) * 60 * ONE,
    );
    let Loaded::Part(Some(part)) = load(store, namespace, Need::Part(OWNER)).await else {
        panic!("no part")
    };
    assert_eq!(
        part.account.display_name.as_deref(),
        Some(namespace.as_str())
    );
    assert_eq!(
        part.entitlements
            .iter()
            .map(|e| e.quantity_allowed)
            .collect::<Vec<_>>(),
        [Some(quantity)]
    );
    assert_eq!(
        part.grants
            .iter()
            .map(|grant| grant.remaining)
            .collect::<Vec<_>>(),
        [micros]
    );
    assert_eq!(
        part.leases
            .iter()
            .map(|lease| lease.fencing_token)
            .collect::<Vec<_>>(),
        [n as u64]
    );
    assert_eq!(
        part.reservations
            .iter()
            .map(|r| r.quantity)
            .collect::<Vec<_>>(),
        [quantity]
    );
    assert_eq!(part.holds.len(), 2);
    let Loaded::Event(Some(facts)) = load(store, namespace, Need::Event(id(2))).await else {
        panic!("no event")
    };
    assert_eq!((facts.event.quantity, facts.net), (quantity, hours));
    let loaded = load(store, namespace, Need::Scopes(code(RESOURCE))).await;
    assert!(
        matches!(&loaded, Loaded::Scopes(scopes) if *scopes == [code(namespace.as_str())].into()),
        "{loaded:?}"
    );
    let own = Need::OwnTotal {
        level: OWNER,
        resource: code(RESOURCE),
        scope: None,
    };
    let loaded = load(store, namespace, own).await;
    assert!(
        matches!(loaded, Loaded::OwnTotal(total) if total == micros),
        "{loaded:?}"
    );
    for include_children in [true, false] {
        let query = UsageQuery {
            namespace: namespace.clone(),
            account: OWNER,
            resource: code(RESOURCE),
            scope: None,
            from: None,
            to: None,
            include_children,
        };
        assert_eq!(store.usage(query).await.unwrap(), hours);
    }
    let query = SeriesQuery {
        namespace: namespace.clone(),
        account: OWNER,
        resource: code(RESOURCE),
        from: NOW.floor_day(),
        to: NOW.floor_day().saturating_add_secs(86_400),
        bucket: SeriesBucket::Day,
        group_by: Some(crate::SeriesGroup::Account),
        limit: 10,
    };
    assert_eq!(
        store
            .series(query)
            .await
            .unwrap()
            .iter()
            .map(|row| row.amount)
            .collect::<Vec<_>>(),
        [hours]
    );
}
