//! Rows that all namespaces share, replaced under a running engine.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::sync::Arc;

use mec_core::catalogue::{Lookups, ResourceType, Unit};
use mec_core::entitlement::{EntitlementStatus, LimitKind};
use mec_core::ops::entitlement::CreateEntitlement;
use mec_core::window::{PeriodUnit, WindowMode, WindowType};
use mec_core::{Command, Namespace, Quantity, Refusal};
use mec_engine::{EngineError, Target};
use mec_store::CatalogueDraft;
use support::World;
use uuid::Uuid;

fn namespace() -> Namespace {
    Namespace::default_namespace()
}

fn with_fortnight(before: &Lookups) -> Lookups {
    let mut after = before.clone();
    let fortnight = WindowType {
        code: "fortnight".into(),
        description: "Two weeks".to_owned(),
        mode: WindowMode::Calendar,
        period_unit: Some(PeriodUnit::Week),
        period_count: 2,
    };
    after.window_types.insert("fortnight".into(), fortnight);
    after
}

fn counted_in(unit: &str) -> CatalogueDraft {
    CatalogueDraft {
        over: None,
        resource_types: vec![ResourceType {
            resource_type_code: "r".into(),
            description: String::new(),
            default_unit_code: unit.into(),
            is_inventory: false,
            is_concurrency: false,
            is_time_bound: false,
            allowed_units: vec![unit.into()],
        }],
        ..CatalogueDraft::default()
    }
}

fn per_fortnight() -> Command {
    Command::CreateEntitlement(CreateEntitlement {
        entitlement_id: None,
        resource: "benchmark_runs".into(),
        scope: None,
        limit_kind: LimitKind::Cumulative,
        quantity_allowed: Some(Quantity::from_int(7)),
        unit: None,
        effective_start: None,
        effective_end: None,
        window_type: Some("fortnight".into()),
        window_anchor: None,
        usage_from: None,
        priority: 0,
        status: EntitlementStatus::Active,
        conditions: Vec::new(),
    })
}

#[track_caller]
fn refused<T: std::fmt::Debug>(answer: Result<T, EngineError>) -> Refusal {
    match answer {
        Err(EngineError::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_new_window_type_is_in_force_at_once_in_every_namespace_held() {
    let world = World::new();
    let other = Namespace::parse("other").unwrap();
    let acme = world.account(None, "organization").await;
    let give = async |account: Uuid| {
        let target = Target::Account(account);
        world.call(target, None, per_fortnight()).await
    };
    let unknown = refused(give(acme).await);
    assert_eq!(unknown.code(), "unknown_code");
    world.engine.catalogue(&other).await.unwrap();

    let before = world.engine.lookups().await.unwrap();
    let put = world
        .engine
        .replace_lookups(&before, with_fortnight(&before))
        .await
        .unwrap();
    assert_eq!(put.version, before.version + 1);
    give(acme).await.unwrap();
    let told = world.check(acme, "benchmark_runs").await;
    assert_eq!(told["window_start"], "2026-11-23T00:00:00+00:00", "{told}");
    assert_eq!(told["window_end"], "2026-12-07T00:00:00+00:00", "{told}");
    for namespace in [namespace(), other] {
        let catalogue = world.engine.catalogue(&namespace).await.unwrap();
        assert_eq!(catalogue.lookups, put, "{namespace}");
    }
    let world = world.restart().await;
    assert_eq!(world.engine.lookups().await.unwrap(), put);
}

#[tokio::test]
async fn who_changes_an_older_version_is_told_and_what_is_used_stays() {
    let world = World::new();
    let acme = world.account(None, "organization").await;
    let first = world.engine.lookups().await.unwrap();
    let more = with_fortnight(&first);
    let second = world.engine.replace_lookups(&first, more).await.unwrap();
    let late = world.engine.replace_lookups(&first, (*first).clone()).await;
    assert_eq!(refused(late), Refusal::LookupsChanged { held: 2 });
    let target = Target::Account(acme);
    world.call(target, None, per_fortnight()).await.unwrap();
    let taken = world
        .engine
        .replace_lookups(&second, (*first).clone())
        .await;
    let sentence = "the window type fortnight is in use: keep it";
    assert_eq!(refused(taken), Refusal::Catalogue(sentence.to_owned()));
    let mut broken = (*second).clone();
    broken.units.get_mut("bytes").unwrap().base_unit_code = "bits".into();
    let told = world.engine.check_lookups(&second, &broken).await.unwrap();
    assert_eq!(told[0].sentence, "there is no unit bits");
    let broken = world.engine.replace_lookups(&second, broken).await;
    let sentence = "there is no unit bits";
    assert_eq!(refused(broken), Refusal::Catalogue(sentence.to_owned()));
    assert_eq!(world.engine.lookups().await.unwrap(), second);
}

#[tokio::test]
async fn a_catalogue_is_checked_by_the_lookups_that_are() {
    let world = World::new();
    let before = world.engine.lookups().await.unwrap();
    let old = world.engine.catalogue(&namespace()).await.unwrap();
    let mut after = (*before).clone();
    after.units.remove("bytes");
    let pages = Unit {
        unit_code: "pages".into(),
        unit_category: "paper".to_owned(),
        description: String::new(),
        scale: 0,
        base_unit_code: "pages".into(),
        base_factor: 1,
    };
    after.units.insert("pages".into(), pages);
    world.engine.replace_lookups(&before, after).await.unwrap();
    // Read by what was then.
    let late = world.engine.replace_catalogue(&old, counted_in("bytes"));
    assert_eq!(refused(late.await), Refusal::LookupsChanged { held: 2 });
    let gone = world.engine.put_catalogue(namespace(), counted_in("bytes"));
    let sentence = "the unit bytes does not exist";
    assert_eq!(refused(gone.await), Refusal::Catalogue(sentence.to_owned()));
    let present = world.engine.catalogue(&namespace()).await.unwrap();
    let put: Arc<_> = world
        .engine
        .replace_catalogue(&present, counted_in("pages"))
        .await
        .unwrap();
    assert!(put.unit("pages").is_some() && put.unit("bytes").is_none());
}
