//! Putting a catalogue: what stays, what goes, and what keeps its id.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod common;

use std::sync::Arc;

use common::{World, code, namespace, planted, time};
use mec_core::change::Change;
use mec_core::condition::{Condition, ConditionOp};
use mec_core::plan::{Subscription, SubscriptionStatus, Template};
use mec_core::{Catalogue, Namespace, Quantity};
use mec_store::{CatalogueDraft, CommitError, Store};
use mec_store_sqlite::SqliteStore;

async fn read(store: &SqliteStore) -> Catalogue {
    store.catalogue(&namespace(), None).await.unwrap().unwrap()
}

fn draft(catalogue: &Catalogue) -> CatalogueDraft {
    CatalogueDraft {
        over: None,
        resource_types: catalogue.resource_types.values().cloned().collect(),
        plans: catalogue.plans.values().cloned().collect(),
        rules: catalogue.rules.values().flatten().cloned().collect(),
    }
}

#[tokio::test]
async fn what_is_put_comes_back_and_the_version_rises() {
    let mut world = World::new();
    let store = world.open();
    let before = read(&store).await;
    let mut draft = draft(&before);
    draft.rules[0].conditions = vec![Condition {
        key: "tier".to_owned(),
        op: ConditionOp::In,
        value: Some("a,b".to_owned()),
    }];
    draft.rules[0].overage_multiplier = Some(Quantity::from_micros(1_250_000));
    draft.plans[0].external_id = Some("price_1".to_owned());
    let put = store
        .put_catalogue(&namespace(), &draft, time("2026-05-05T00:00:00Z"))
        .await
        .unwrap();
    assert_eq!(put.version, 2);
    let after = store
        .catalogue(&namespace(), Some(1))
        .await
        .unwrap()
        .unwrap();
    let rule = &draft.rules[0];
    assert!(
        after
            .rules_of(&rule.resource_type_code)
            .any(|found| found == rule)
    );
    assert_eq!(after.plans[&draft.plans[0].plan_id], draft.plans[0]);
    assert_eq!(
        (after.resource_types, after.version),
        (before.resource_types, 2)
    );
    let other = Namespace::parse("other").unwrap();
    assert_eq!(
        store
            .put_catalogue(
                &other,
                &CatalogueDraft::default(),
                time("2026-05-05T00:00:00Z")
            )
            .await
            .unwrap()
            .version,
        1
    );
    assert_eq!(read(&store).await.version, 2);
}

#[tokio::test]
async fn templates_and_rules_keep_their_ids() {
    let mut world = World::new();
    let store = world.open();
    let before = read(&store).await;
    let mut draft = draft(&before);
    let later = time("2027-01-01T00:00:00Z");
    for rule in &mut draft.rules {
        (rule.rule_id, rule.created_at, rule.priority) = (world.id(), later, 5);
    }
    for template in draft.plans.iter_mut().flat_map(|plan| &mut plan.templates) {
        (template.template_id, template.priority) = (world.id(), 7);
    }
    let starter = draft
        .plans
        .iter_mut()
        .find(|plan| &*plan.plan_id == "starter")
        .unwrap();
    let added = Template {
        template_id: world.id(),
        resource_scope: Some(code("eu")),
        ..starter.templates[0].clone()
    };
    starter.templates.push(added.clone());
    let after = store
        .put_catalogue(&namespace(), &draft, later)
        .await
        .unwrap();
    for (name, plan) in &before.plans {
        for (old, new) in plan.templates.iter().zip(&after.plans[name].templates) {
            assert_eq!((old.template_id, new.priority), (new.template_id, 7));
        }
    }
    assert_eq!(after.plans["starter"].templates.last(), Some(&added));
    let rules = |catalogue: &Catalogue| {
        let mut rules: Vec<_> = catalogue
            .rules
            .values()
            .flatten()
            .map(|r| (r.rule_name.clone(), r.rule_id, r.created_at))
            .collect();
        rules.sort();
        rules
    };
    assert_eq!(rules(&after), rules(&before));
}

#[tokio::test]
async fn what_the_draft_lacks_goes_unless_it_is_used() {
    let mut world = World::new();
    let store = world.open();
    let (mut tree, owner, _) = planted(&mut world, &store).await;
    let subscription = Subscription {
        subscription_id: world.id(),
        account_id: owner,
        plan_id: code("pro"),
        external_id: None,
        status: SubscriptionStatus::Canceled,
        quantity: 1,
        current_period_start: time("2026-05-04T10:00:00Z"),
        current_period_end: None,
        cancel_at: None,
        created_at: time("2026-05-04T10:00:00Z"),
        updated_at: time("2026-05-04T10:00:00Z"),
    };
    let mut changes = tree.event(
        world.id(),
        &[owner],
        "api_requests",
        None,
        1,
        "2026-05-04T10:00:00Z",
    );
    changes.push(Change::SubscriptionPut(Arc::new(subscription)));
    tree.commit(&store, changes).await.unwrap();
    let after = store
        .put_catalogue(
            &namespace(),
            &CatalogueDraft::default(),
            time("2026-05-05T00:00:00Z"),
        )
        .await
        .unwrap();
    let plans: Vec<_> = after
        .plans
        .values()
        .map(|plan| (&*plan.plan_id, plan.status.as_str()))
        .collect();
    assert_eq!(plans, [("pro", "archived")]);
    assert!(after.rules.is_empty());
    let mut kept: Vec<_> = after.resource_types.keys().map(|code| &**code).collect();
    kept.sort_unstable();
    // What was used, and what the archived plan still gives.
    assert_eq!(
        kept,
        [
            "api_requests",
            "benchmark_runs",
            "concurrent_users",
            "gpu_hours",
            "server_configs",
            "server_instances"
        ]
    );
}

#[tokio::test]
async fn a_draft_that_contradicts_itself_changes_nothing() {
    let mut world = World::new();
    let store = world.open();
    let mut draft = draft(&read(&store).await);
    let twin = draft.rules[0].clone();
    draft.rules.push(twin);
    let put = store
        .put_catalogue(&namespace(), &draft, time("2026-05-05T00:00:00Z"))
        .await;
    assert!(matches!(
        put,
        Err(CommitError::Refused { command: None, .. })
    ));
    assert_eq!(read(&store).await.version, 1);
    planted(&mut world, &store).await;
}
