//! What is committed comes back, also after the store was opened anew.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::cloned_ref_to_slice_refs,
    reason = "a test that cannot go on has failed"
)]

mod common;

use std::sync::Arc;

use common::{NOW, Tree, World, code, created, namespace, part, planted, time, whole};
use mec_core::Quantity;
use mec_core::change::{Change, GraceClock, LimitKey};
use mec_core::condition::{Condition, ConditionOp};
use mec_core::entitlement::{Entitlement, EntitlementAudit, EntitlementStatus, LimitKind};
use mec_core::need::{Loaded, Need};
use mec_core::plan::{Subscription, SubscriptionStatus};
use mec_store::{
    Batch, CommitSet, DecisionRow, KeyRef, KeyRow, KeyState, Locator, Place, Store, StoredAnswer,
    key_hash,
};
use uuid::Uuid;

fn entitlement(id: Uuid, account: Uuid) -> Entitlement {
    Entitlement {
        entitlement_id: id,
        account_id: account,
        resource_type_code: code("benchmark_runs"),
        resource_scope: Some(code("eu")),
        limit_kind_code: LimitKind::Cumulative,
        quantity_allowed: Some(Quantity::from_int(100)),
        unit_code: code("count"),
        effective_start: time(NOW),
        effective_end: Some(time("2027-05-04T10:00:00Z")),
        window_type_code: code("calendar_month"),
        window_anchor: Some(time(NOW)),
        plan_id: Some(code("starter")),
        template_id: Some(Uuid::from_u128(1)),
        subscription_id: Some(Uuid::from_u128(2)),
        usage_from: Some(time("2026-05-04T10:00:15Z")),
        priority: -3,
        status: EntitlementStatus::Active,
        version: 1,
        superseded_by: None,
        created_at: time(NOW),
        updated_at: time(NOW),
        conditions: vec![
            Condition {
                key: "mec.plan_id".to_owned(),
                op: ConditionOp::Eq,
                value: Some("starter".to_owned()),
            },
            Condition {
                key: "beta".to_owned(),
                op: ConditionOp::Exists,
                value: None,
            },
        ],
    }
}

fn put(world: &mut World, old: Option<&Entitlement>, new: &Entitlement) -> Change {
    let operation = if old.is_some() { "UPDATE" } else { "INSERT" };
    let audit = EntitlementAudit {
        audit_id: world.id(),
        operation,
        changed_by: "me".to_owned(),
        changed_at: time(NOW),
    };
    Change::EntitlementPut {
        old: old.cloned().map(Arc::new),
        new: Arc::new(new.clone()),
        audit,
    }
}

#[tokio::test]
async fn accounts_are_found_by_every_name() {
    let mut world = World::new();
    let store = world.open();
    let (mut tree, owner, child) = planted(&mut world, &store).await;
    let place = |account| {
        Some(Place {
            account,
            tree: owner,
        })
    };
    let event = world.id();
    let changes = tree.event(event, &[child, owner], "benchmark_runs", None, 1, NOW);
    tree.commit(&store, changes).await.unwrap();
    let raw = world.raw();
    raw.execute(
        "INSERT INTO account_external_ids VALUES ('default', 'cus_1', 'stripe', ?1)",
        [child.as_bytes()],
    )
    .unwrap();
    let locators = [
        (Locator::Account(child), place(child)),
        (Locator::External(format!("ext-{child}")), place(child)),
        (Locator::External("cus_1".to_owned()), place(child)),
        (Locator::Event(event), place(child)),
        (Locator::Account(world.id()), None),
        (Locator::External("nobody".to_owned()), None),
        (Locator::Lease(event), None),
        (Locator::Reservation(event), None),
        (Locator::Grant(event), None),
    ];
    let mut batch = store.begin(0, &[], &[]).await.unwrap();
    let asked: Vec<Locator> = locators
        .iter()
        .map(|(locator, _)| locator.clone())
        .collect();
    let found = batch.locate(&namespace(), &asked).await.unwrap();
    assert_eq!(
        found,
        locators.iter().map(|(_, place)| *place).collect::<Vec<_>>()
    );
    let other = mec_core::Namespace::parse("other").unwrap();
    assert_eq!(batch.locate(&other, &asked[..1]).await.unwrap(), [None]);
    assert_eq!(
        batch.head(&namespace(), owner).await.unwrap().unwrap(),
        tree.head
    );
    assert!(batch.head(&other, owner).await.unwrap().is_none());
    drop(batch);
    assert_eq!(
        store
            .find(&namespace(), Locator::Account(child))
            .await
            .unwrap(),
        place(child)
    );
    assert_eq!(
        store.ancestors(&namespace(), child).await.unwrap(),
        [child, owner]
    );
    assert!(
        store
            .ancestors(&namespace(), event)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn an_account_s_part_comes_back_as_it_was_written() {
    let mut world = World::new();
    let store = world.open();
    let (mut tree, owner, child) = planted(&mut world, &store).await;
    let first = entitlement(world.id(), child);
    let second = Entitlement {
        version: 2,
        priority: 9,
        conditions: Vec::new(),
        ..first.clone()
    };
    let gone = Entitlement {
        status: EntitlementStatus::Superseded,
        usage_from: None,
        ..entitlement(world.id(), child)
    };
    let subscription = Subscription {
        subscription_id: world.id(),
        account_id: child,
        plan_id: code("starter"),
        external_id: Some("sub_1".to_owned()),
        status: SubscriptionStatus::Active,
        quantity: 3,
        current_period_start: time(NOW),
        current_period_end: None,
        cancel_at: Some(time("2026-06-01T00:00:00Z")),
        created_at: time(NOW),
        updated_at: time(NOW),
    };
    let canceled = Subscription {
        subscription_id: world.id(),
        status: SubscriptionStatus::Canceled,
        ..subscription.clone()
    };
    let limit = LimitKey {
        level: child,
        resource: code("benchmark_runs"),
        kind: LimitKind::Cumulative,
        window_type: code("calendar_month"),
        scope: None,
    };
    let clock = GraceClock {
        since: time(NOW),
        window_start: Some(time("2026-05-01T00:00:00Z")),
    };
    let changes = vec![
        put(&mut world, None, &first),
        put(&mut world, None, &gone),
        Change::SubscriptionPut(Arc::new(subscription.clone())),
        Change::SubscriptionPut(Arc::new(canceled)),
        Change::GraceClock {
            limit: limit.clone(),
            clock: Some(clock),
        },
    ];
    tree.commit(&store, changes).await.unwrap();
    let rows = part(&store, owner, child).await;
    assert_eq!(*rows.account, common::account(child, Some(owner), NOW));
    assert_eq!(
        rows.entitlements
            .iter()
            .map(|e| (**e).clone())
            .collect::<Vec<_>>(),
        [first.clone()]
    );
    assert_eq!(
        rows.subscriptions
            .iter()
            .map(|s| (**s).clone())
            .collect::<Vec<_>>(),
        [subscription]
    );
    assert_eq!(rows.grace, [(limit.clone(), clock)]);

    let mut renamed = common::account(child, Some(owner), NOW);
    (renamed.display_name, renamed.external_id) = (None, None);
    let changes = vec![
        put(&mut world, Some(&first), &second),
        Change::AccountUpdated(Arc::new(renamed.clone())),
        Change::GraceClock { limit, clock: None },
    ];
    tree.commit(&store, changes).await.unwrap();
    drop(store);
    let store = world.open();
    let rows = part(&store, owner, child).await;
    assert_eq!(
        rows.entitlements
            .iter()
            .map(|e| (**e).clone())
            .collect::<Vec<_>>(),
        [second]
    );
    assert_eq!((&*rows.account, rows.grace.is_empty()), (&renamed, true));
    let audited: i64 = world
        .raw()
        .query_row("SELECT count(*) FROM entitlements_audit", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(audited, 3);

    // What replaces a version that is not the stored one is refused instead of lost.
    let change = put(&mut world, Some(&first), &first);
    assert!(tree.commit(&store, vec![change]).await.is_err());
}

#[tokio::test]
async fn keys_scopes_and_own_totals_are_remembered() {
    let mut world = World::new();
    let store = world.open();
    let (mut tree, owner, child) = planted(&mut world, &store).await;
    let own = |scope: Option<&str>, amount| Change::OwnTotalAdded {
        level: child,
        resource: code("server_configs"),
        scope: scope.map(code),
        amount: whole(amount),
    };
    let seen = Change::ScopeSeen {
        resource: code("server_configs"),
        scope: code("eu"),
    };
    let changes = vec![
        own(None, 3),
        own(Some("eu"), 5),
        own(None, -1),
        seen.clone(),
        seen,
    ];
    tree.commit(&store, changes).await.unwrap();
    for (scope, total) in [(None, 2), (Some("eu"), 5), (Some("us"), 0)] {
        let need = Need::OwnTotal {
            level: child,
            resource: code("server_configs"),
            scope: scope.map(code),
        };
        assert!(
            matches!(common::load(&store, owner, need).await, Loaded::OwnTotal(found) if found == whole(total))
        );
    }
    let scopes = match common::load(&store, owner, Need::Scopes(code("server_configs"))).await {
        Loaded::Scopes(scopes) => scopes,
        other => panic!("{other:?}"),
    };
    assert_eq!(scopes.into_iter().collect::<Vec<_>>(), [code("eu")]);

    let stored = StoredAnswer {
        rpc: code("consume"),
        args_hash: [9; 32],
        event_id: Some(child),
        answer: Some("{\"a\":1}".to_owned()),
    };
    let key = |key: &str| KeyRow {
        command: 0,
        namespace: namespace(),
        key: key.into(),
        stored: stored.clone(),
        created_at: time(NOW),
    };
    let refs: Vec<KeyRef> = ["one", "two", "one"]
        .into_iter()
        .map(|key| KeyRef {
            namespace: namespace(),
            hash: key_hash(key),
        })
        .collect();
    let batch = store.begin(0, &[], &refs).await.unwrap();
    assert_eq!(
        batch.keys(),
        [KeyState::Free, KeyState::Free, KeyState::Free]
    );
    let decision = DecisionRow {
        decision_id: world.id(),
        namespace: namespace(),
        account_id: child,
        resource_type_code: code("benchmark_runs"),
        resource_scope: None,
        requested_quantity: Quantity::from_int(1),
        unit_code: None,
        decision: "deny",
        code: "limit_reached",
        reason: "no",
        rule_id: None,
        entitlement_id: None,
        usage_at_decision: Some(Quantity::from_micros(1_500_000)),
        limit_at_decision: None,
        percent_used: None,
        request_id: Some("r".into()),
        decided_at: time(NOW),
    };
    batch
        .commit(CommitSet {
            keys: vec![key("one")],
            decisions: vec![decision],
            ..CommitSet::default()
        })
        .await
        .unwrap();
    let batch = store.begin(0, &[], &refs).await.unwrap();
    let taken = KeyState::Taken(stored.clone());
    assert_eq!(batch.keys(), [taken.clone(), KeyState::Free, taken]);
    // A key is one in its namespace, whoever uses it.
    let error = batch
        .commit(CommitSet {
            keys: vec![key("one")],
            ..CommitSet::default()
        })
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            mec_store::CommitError::Refused {
                command: Some(0),
                ..
            }
        ),
        "{error}"
    );
    let used: String = world
        .raw()
        .query_row(
            "SELECT usage_at_decision FROM control_decisions",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(used, "1.5");
}

#[tokio::test]
async fn trees_do_not_see_each_other_and_a_tree_is_new_once() {
    let mut world = World::new();
    let store = world.open();
    let (_, owner, _) = planted(&mut world, &store).await;
    let mut again = Tree::new(owner);
    assert!(again.commit(&store, Vec::new()).await.is_err());
    let mut unknown = Tree::new(world.id());
    unknown.is_new = false;
    assert!(unknown.commit(&store, Vec::new()).await.is_err());
    let orphan = common::account(world.id(), Some(world.id()), NOW);
    let mut tree = Tree::new(orphan.account_id);
    assert!(tree.commit(&store, vec![created(orphan)]).await.is_err());
}
