//! What a part of a Book is loaded with.

use std::collections::HashSet;
use std::sync::Arc;

use mec_core::change::{Change, GraceClock, LimitKey};
use mec_core::condition::ConditionOp;
use mec_core::entitlement::{EntitlementStatus, LimitKind};
use mec_core::grant::Draw;
use mec_core::need::{Loaded, Need};
use mec_core::plan::SubscriptionStatus;

use super::TestClock;
use super::given::{
    NOW, ONE, OWNER, RESOURCE, TEAM, code, commit, condition, entitlement, entitlement_put, family,
    grant, id, load, namespace, part, seconds_later, subscription, try_commit,
};
use crate::{CommitError, Store};

pub async fn an_unknown_account_has_no_part<S: Store>(store: &S, _clock: &TestClock) {
    let loaded = load(store, &namespace(), Need::Part(id(99))).await;
    assert!(matches!(loaded, Loaded::Part(None)), "{loaded:?}");
}

pub async fn entitlements_come_with_their_conditions<S: Store>(store: &S, _clock: &TestClock) {
    family(store).await;
    let mut first = entitlement(1, TEAM);
    first.conditions = vec![
        condition("region", ConditionOp::In, Some("eu,us")),
        condition("size", ConditionOp::Gte, Some("1.5")),
        condition("size", ConditionOp::Lt, Some("9")),
        condition("trial", ConditionOp::Exists, None),
    ];
    let mut second = entitlement(2, TEAM);
    second.quantity_allowed = None;
    second.resource_scope = Some(code("eu"));
    (
        second.effective_end,
        second.window_anchor,
        second.usage_from,
    ) = (None, None, None);
    (second.plan_id, second.template_id, second.subscription_id) = (None, None, None);
    commit(
        store,
        vec![
            entitlement_put(None, &first, 11),
            entitlement_put(None, &second, 12),
        ],
    )
    .await;
    let mut found: Vec<_> = part(store, TEAM)
        .await
        .entitlements
        .iter()
        .map(|e| e.as_ref().clone())
        .collect();
    found.sort_by_key(|entitlement| entitlement.entitlement_id);
    assert_eq!(found, [first.clone(), second]);
    assert!(part(store, OWNER).await.entitlements.is_empty());
    let mut changed = first.clone();
    changed.version = 2;
    changed.conditions.truncate(1);
    changed.quantity_allowed = None;
    commit(store, vec![entitlement_put(Some(&first), &changed, 13)]).await;
    assert!(
        part(store, TEAM)
            .await
            .entitlements
            .contains(&Arc::new(changed))
    );
}

pub async fn superseded_entitlements_are_left_out<S: Store>(store: &S, _clock: &TestClock) {
    family(store).await;
    let statuses = [
        EntitlementStatus::Active,
        EntitlementStatus::Suspended,
        EntitlementStatus::Expired,
        EntitlementStatus::Superseded,
    ];
    let rows = statuses.map(|status| {
        let mut row = entitlement(status as u128 + 1, TEAM);
        row.status = status;
        row.usage_from = None;
        row
    });
    commit(
        store,
        rows.iter()
            .map(|row| entitlement_put(None, row, row.entitlement_id.as_u128()))
            .collect(),
    )
    .await;
    let found: HashSet<_> = part(store, TEAM)
        .await
        .entitlements
        .iter()
        .map(|e| e.entitlement_id)
        .collect();
    assert_eq!(
        found,
        rows[..3].iter().map(|row| row.entitlement_id).collect()
    );
    let mut splits = entitlement(9, TEAM);
    splits.status = EntitlementStatus::Superseded;
    splits.usage_from = Some(NOW.floor_minute().saturating_add_micros(1));
    commit(store, vec![entitlement_put(None, &splits, 99)]).await;
    let found = part(store, TEAM).await.entitlements;
    assert!(
        found.iter().any(|e| e.entitlement_id == id(9)),
        "what splits a minute stays for corrections in it"
    );
}

pub async fn an_entitlement_is_replaced_at_its_version_only<S: Store>(
    store: &S,
    _clock: &TestClock,
) {
    family(store).await;
    let first = entitlement(1, TEAM);
    commit(store, vec![entitlement_put(None, &first, 11)]).await;
    let mut second = first.clone();
    second.version = 2;
    commit(store, vec![entitlement_put(Some(&first), &second, 12)]).await;
    for old in [None, Some(&first)] {
        let refused = try_commit(store, false, vec![entitlement_put(old, &second, 13)]).await;
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
    }
    assert_eq!(part(store, TEAM).await.entitlements, [Arc::new(second)]);
}

pub async fn canceled_subscriptions_are_left_out<S: Store>(store: &S, _clock: &TestClock) {
    family(store).await;
    let first = subscription(1, TEAM);
    let mut second = subscription(2, TEAM);
    second.status = SubscriptionStatus::Canceled;
    commit(
        store,
        vec![
            Change::SubscriptionPut(Arc::new(first.clone())),
            Change::SubscriptionPut(Arc::new(second)),
        ],
    )
    .await;
    assert_eq!(
        part(store, TEAM).await.subscriptions,
        [Arc::new(first.clone())]
    );
    let changed = mec_core::plan::Subscription {
        quantity: 9,
        cancel_at: Some(NOW),
        ..first
    };
    commit(
        store,
        vec![Change::SubscriptionPut(Arc::new(changed.clone()))],
    )
    .await;
    assert_eq!(
        part(store, TEAM).await.subscriptions,
        [Arc::new(changed.clone())]
    );
    let canceled = mec_core::plan::Subscription {
        status: SubscriptionStatus::Canceled,
        ..changed
    };
    commit(store, vec![Change::SubscriptionPut(Arc::new(canceled))]).await;
    assert!(part(store, TEAM).await.subscriptions.is_empty());
}

pub async fn open_grants_are_told_and_others_remembered<S: Store>(store: &S, _clock: &TestClock) {
    family(store).await;
    // More than 64 bits of millionths, and less than one unit.
    let (huge, tiny) = (grant(1, TEAM, 1 << 70), grant(2, TEAM, 1));
    let (mut empty, mut voided) = (grant(3, TEAM, 0), grant(4, TEAM, ONE));
    empty.window_type_code = code("calendar_day");
    voided.voided_at = Some(NOW);
    let mut unlimited = grant(5, TEAM, ONE);
    (
        unlimited.expires_at,
        unlimited.resource_scope,
        unlimited.reason,
    ) = (None, None, None);
    let all = [&huge, &tiny, &empty, &voided, &unlimited];
    commit(
        store,
        all.map(|grant| Change::GrantPut(grant.clone())).into(),
    )
    .await;
    let mut found = part(store, TEAM).await.grants;
    found.sort_by_key(|grant| grant.grant_id);
    assert_eq!(found, [huge.clone(), tiny, unlimited]);
    let kinds: HashSet<_> = part(store, TEAM).await.granted_ever.into_iter().collect();
    assert_eq!(
        kinds,
        [
            (code(RESOURCE), code("calendar_month")),
            (code(RESOURCE), code("calendar_day"))
        ]
        .into()
    );
    assert!(part(store, OWNER).await.granted_ever.is_empty());
    let loaded = load(store, &namespace(), Need::Grant(id(4))).await;
    assert!(
        matches!(&loaded, Loaded::Grant(Some(grant)) if *grant == voided),
        "{loaded:?}"
    );
    let loaded = load(store, &namespace(), Need::Grant(id(9))).await;
    assert!(matches!(loaded, Loaded::Grant(None)), "{loaded:?}");
    let draw = Draw {
        grant_id: huge.grant_id,
        level: TEAM,
        window_type_code: huge.window_type_code,
        grant_expires_at: huge.expires_at,
        amount: 1 << 70,
    };
    commit(
        store,
        vec![Change::Drawn {
            event_id: id(77),
            draw,
            grant_remaining: 0,
        }],
    )
    .await;
    assert_eq!(part(store, TEAM).await.grants.len(), 2);
}

pub async fn a_lapsed_grant_is_still_loaded<S: Store>(store: &S, clock: &TestClock) {
    family(store).await;
    commit(store, vec![Change::GrantPut(grant(1, TEAM, ONE))]).await;
    // An event that occurred before the grant lapsed draws from it, however late it is told.
    clock.set(seconds_later(100));
    assert_eq!(part(store, TEAM).await.grants, [grant(1, TEAM, ONE)]);
}

pub async fn grace_clocks_start_move_and_stop<S: Store>(store: &S, _clock: &TestClock) {
    family(store).await;
    let limit = |scope: Option<&str>| LimitKey {
        level: TEAM,
        resource: code(RESOURCE),
        kind: LimitKind::Cumulative,
        window_type: code("calendar_month"),
        scope: scope.map(code),
    };
    let put = |scope, clock| Change::GraceClock {
        limit: limit(scope),
        clock,
    };
    let first = GraceClock {
        since: NOW,
        window_start: None,
    };
    let second = GraceClock {
        since: seconds_later(9),
        window_start: Some(NOW),
    };
    commit(
        store,
        vec![put(None, Some(first)), put(Some("eu"), Some(first))],
    )
    .await;
    commit(store, vec![put(None, Some(second))]).await;
    let found = part(store, TEAM).await.grace;
    assert_eq!(found.len(), 2);
    assert!(
        found.contains(&(limit(None), second)) && found.contains(&(limit(Some("eu")), first)),
        "{found:?}"
    );
    commit(store, vec![put(None, None)]).await;
    assert_eq!(part(store, TEAM).await.grace, [(limit(Some("eu")), first)]);
}

pub async fn scopes_are_told_by_resource<S: Store>(store: &S, _clock: &TestClock) {
    family(store).await;
    let seen = |resource: &str, scope: &str| Change::ScopeSeen {
        resource: code(resource),
        scope: code(scope),
    };
    commit(
        store,
        vec![
            seen("a", "x"),
            seen("a", "y"),
            seen("b", "z"),
            seen("a", "x"),
        ],
    )
    .await;
    let loaded = load(store, &namespace(), Need::Scopes(code("a"))).await;
    assert!(
        matches!(&loaded, Loaded::Scopes(scopes) if *scopes == [code("x"), code("y")].into()),
        "{loaded:?}"
    );
    let loaded = load(store, &namespace(), Need::Scopes(code("c"))).await;
    assert!(
        matches!(&loaded, Loaded::Scopes(scopes) if scopes.is_empty()),
        "{loaded:?}"
    );
}

pub async fn own_totals_are_of_one_scope<S: Store>(store: &S, _clock: &TestClock) {
    family(store).await;
    let add = |scope: Option<&str>, amount| Change::OwnTotalAdded {
        level: TEAM,
        resource: code("server_configs"),
        scope: scope.map(code),
        amount,
    };
    commit(
        store,
        vec![add(None, 5 * ONE), add(Some("eu"), 2), add(None, -ONE - 1)],
    )
    .await;
    commit(store, vec![add(None, -1), add(Some("eu"), -2)]).await;
    for (level, scope, expected) in [
        (TEAM, None, 4 * ONE - 2),
        (TEAM, Some("eu"), 0),
        (TEAM, Some("us"), 0),
        (OWNER, None, 0),
    ] {
        let need = Need::OwnTotal {
            level,
            resource: code("server_configs"),
            scope: scope.map(code),
        };
        let loaded = load(store, &namespace(), need).await;
        assert!(
            matches!(loaded, Loaded::OwnTotal(total) if total == expected),
            "{scope:?} {loaded:?}"
        );
    }
}
