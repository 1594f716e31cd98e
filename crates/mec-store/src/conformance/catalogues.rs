//! Catalogues and the rows shared by all namespaces.

use std::collections::BTreeSet;
use std::sync::Arc;

use mec_core::Quantity;
use mec_core::catalogue::{Catalogue, ResourceType};
use mec_core::change::Change;
use mec_core::condition::ConditionOp;
use mec_core::entitlement::LimitKind;
use mec_core::plan::{Plan, Template};
use mec_core::rule::{LimitAction, Rule};

use super::TestClock;
use super::given::{
    NOW, ONE, OWNER, code, commit, condition, family, id, namespace, other_namespace,
    seconds_later, subscription, used,
};
use crate::{CatalogueDraft, CatalogueRows, Store};

async fn catalogue<S: Store>(store: &S, newer_than: Option<u64>) -> Option<Catalogue> {
    store.catalogue(&namespace(), newer_than).await.unwrap()
}

fn codes(catalogue: &Catalogue) -> BTreeSet<String> {
    catalogue
        .resource_types
        .keys()
        .map(ToString::to_string)
        .collect()
}

fn resource(name: &str) -> ResourceType {
    ResourceType {
        resource_type_code: code(name),
        description: "A resource".into(),
        default_unit_code: code("hours"),
        is_inventory: false,
        is_concurrency: false,
        is_time_bound: true,
        allowed_units: vec![code("hours"), code("days"), code("minutes")],
    }
}

fn template(number: u128, resource: &str, quantity: Option<i64>) -> Template {
    Template {
        template_id: id(number),
        resource_type_code: code(resource),
        resource_scope: None,
        limit_kind_code: LimitKind::Cumulative,
        quantity_allowed: quantity.map(Quantity::from_int),
        per_seat: true,
        unit_code: code("hours"),
        window_type_code: code("calendar_month"),
        duration_days: Some(3),
        priority: 2,
    }
}

fn plan(name: &str, templates: Vec<Template>) -> Plan {
    Plan {
        plan_id: code(name),
        plan_name: "A plan".into(),
        description: "What it is".into(),
        is_trial: true,
        trial_days: Some(14),
        is_addon: true,
        external_id: Some("price_1".into()),
        status: "active".into(),
        templates,
    }
}

fn rule(number: u128, name: &str, resource: &str) -> Rule {
    Rule {
        rule_id: id(number),
        rule_name: name.into(),
        resource_type_code: code(resource),
        resource_scope: Some(code("eu")),
        limit_kind_code: LimitKind::Cumulative,
        limit_action_code: LimitAction::Grace,
        warn_at_percent: Some(Quantity::from_micros(82_500_000)),
        grace_quantity: Some(Quantity::from_int(5)),
        grace_window_hours: Some(24),
        overage_multiplier: Some(Quantity::from_micros(1_500_000)),
        priority: 7,
        is_active: false,
        created_at: NOW,
        conditions: vec![
            condition("a", ConditionOp::NotIn, Some("[1,2]")),
            condition("a", ConditionOp::Exists, None),
        ],
    }
}

pub async fn the_first_namespace_is_seeded<S: Store>(store: &S, _clock: &TestClock) {
    let catalogue = catalogue(store, None).await.unwrap();
    assert_eq!(
        (catalogue.namespace.clone(), catalogue.version),
        (namespace(), 1)
    );
    let expected: BTreeSet<String> = mec_core::seed::resource_types()
        .iter()
        .map(|r| r.resource_type_code.to_string())
        .collect();
    assert_eq!(codes(&catalogue), expected);
    assert_eq!(
        catalogue.resource_types[&code("gpu_hours")].allowed_units,
        ["hours", "minutes", "gpu_hours"].map(code)
    );
    assert_eq!(catalogue.plans.len(), 4);
    assert_eq!(catalogue.plans[&code("trial-14d")].templates.len(), 5);
    assert_eq!(
        &*catalogue.plans[&code("trial-14d")].templates[0].resource_type_code,
        "platform_access"
    );
    assert_eq!(catalogue.rules.values().flatten().count(), 3);
    assert_eq!(*catalogue.lookups, mec_core::seed::lookups());
    assert_eq!(*store.lookups().await.unwrap(), mec_core::seed::lookups());
}

pub async fn an_unknown_namespace_has_an_empty_catalogue<S: Store>(store: &S, _clock: &TestClock) {
    let catalogue = store
        .catalogue(&other_namespace(), None)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(catalogue.version, 0);
    assert!(
        catalogue.resource_types.is_empty()
            && catalogue.plans.is_empty()
            && catalogue.rules.is_empty()
    );
    assert!(!catalogue.lookups.units.is_empty());
    assert!(
        store
            .catalogue(&other_namespace(), Some(0))
            .await
            .unwrap()
            .is_none()
    );
}

pub async fn a_catalogue_is_told_when_newer<S: Store>(store: &S, _clock: &TestClock) {
    assert!(catalogue(store, Some(1)).await.is_none());
    let put = store
        .put_catalogue(&namespace(), &CatalogueDraft::default(), NOW)
        .await
        .unwrap();
    assert_eq!(put.version, 2);
    assert_eq!(catalogue(store, Some(1)).await.unwrap().version, 2);
    assert!(catalogue(store, Some(2)).await.is_none());
    assert!(
        store
            .catalogue(&other_namespace(), Some(0))
            .await
            .unwrap()
            .is_none()
    );
}

pub async fn a_draft_replaces_what_nothing_uses<S: Store>(store: &S, _clock: &TestClock) {
    let draft = CatalogueDraft {
        over: None,
        resource_types: vec![resource("x"), resource("y")],
        plans: vec![
            plan(
                "basic",
                vec![template(1, "y", None), template(2, "x", Some(5))],
            ),
            plan("empty", Vec::new()),
        ],
        rules: vec![rule(3, "first", "x"), rule(4, "second", "x")],
    };
    let put = store
        .put_catalogue(&namespace(), &draft, NOW)
        .await
        .unwrap();
    let read = catalogue(store, None).await.unwrap();
    for catalogue in [put, read] {
        assert_eq!(codes(&catalogue), ["x".to_owned(), "y".to_owned()].into());
        assert_eq!(
            catalogue.resource_types[&code("x")],
            draft.resource_types[0]
        );
        assert_eq!(catalogue.plans.len(), 2);
        assert_eq!(catalogue.plans[&code("basic")], draft.plans[0]);
        assert_eq!(catalogue.rules[&code("x")], draft.rules);
    }
}

pub async fn what_is_used_stays<S: Store>(store: &S, _clock: &TestClock) {
    family(store).await;
    let rows = vec![
        used(OWNER, None, NOW.floor_minute(), ONE),
        Change::SubscriptionPut(Arc::new(subscription(1, OWNER))),
    ];
    commit(store, rows).await;
    let before = catalogue(store, None).await.unwrap();
    let after = store
        .put_catalogue(&namespace(), &CatalogueDraft::default(), NOW)
        .await
        .unwrap();
    assert_eq!(
        after.plans.keys().map(|id| &**id).collect::<Vec<_>>(),
        ["pro"]
    );
    let archived = Plan {
        status: "archived".into(),
        ..before.plans[&code("pro")].clone()
    };
    assert_eq!(after.plans[&code("pro")], archived);
    let needed: BTreeSet<String> = archived
        .templates
        .iter()
        .map(|t| t.resource_type_code.to_string())
        .collect();
    assert_eq!(codes(&after), needed);
    assert!(needed.contains("gpu_hours") && after.rules.is_empty());
}

pub async fn what_accounts_use_is_told<S: Store>(store: &S, _clock: &TestClock) {
    let rows = || CatalogueRows {
        plans: vec![code("starter"), code("pro"), code("nothing")],
        resource_types: ["api_requests", "benchmark_runs", "gpu_hours"]
            .map(code)
            .into(),
    };
    family(store).await;
    let used_now = store.used(&namespace(), rows()).await.unwrap();
    assert_eq!(used_now, CatalogueRows::default());
    let changes = vec![
        used(OWNER, None, NOW.floor_minute(), ONE),
        Change::SubscriptionPut(Arc::new(subscription(1, OWNER))),
    ];
    commit(store, changes).await;
    let expected = CatalogueRows {
        plans: vec![code("pro")],
        resource_types: vec![code("gpu_hours")],
    };
    assert_eq!(store.used(&namespace(), rows()).await.unwrap(), expected);
    let elsewhere = store.used(&other_namespace(), rows()).await.unwrap();
    assert_eq!(elsewhere, CatalogueRows::default());
}

pub async fn templates_and_rules_keep_their_identity<S: Store>(store: &S, _clock: &TestClock) {
    let first = CatalogueDraft {
        over: None,
        resource_types: vec![resource("x")],
        plans: vec![plan(
            "basic",
            vec![template(1, "x", Some(5)), template(2, "x", Some(6))],
        )],
        rules: vec![rule(3, "first", "x"), rule(4, "second", "x")],
    };
    store
        .put_catalogue(&namespace(), &first, NOW)
        .await
        .unwrap();
    let mut same_name = rule(13, "first", "x");
    same_name.created_at = seconds_later(9);
    let mut scoped = template(23, "x", None);
    scoped.resource_scope = Some(code("eu"));
    let second = CatalogueDraft {
        over: None,
        plans: vec![plan(
            "basic",
            vec![scoped, template(21, "x", Some(50)), template(22, "x", None)],
        )],
        rules: vec![rule(14, "third", "x"), same_name],
        ..first
    };
    let put = store
        .put_catalogue(&namespace(), &second, seconds_later(9))
        .await
        .unwrap();
    let templates = &put.plans[&code("basic")].templates;
    assert_eq!(
        templates.iter().map(|t| t.template_id).collect::<Vec<_>>(),
        [id(23), id(1), id(2)]
    );
    assert_eq!(templates[1].quantity_allowed, Some(Quantity::from_int(50)));
    let rules = &put.rules[&code("x")];
    let told: Vec<_> = rules
        .iter()
        .map(|rule| (rule.rule_id, &*rule.rule_name, rule.created_at))
        .collect();
    assert_eq!(told, [(id(14), "third", NOW), (id(3), "first", NOW)]);
}
