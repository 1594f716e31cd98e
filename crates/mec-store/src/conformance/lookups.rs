//! The rows that all namespaces share, replaced without taking away what is in use.

use std::sync::Arc;

use mec_core::catalogue::{AccountType, Lookups, ResourceType, Unit};
use mec_core::change::Change;
use mec_core::lookups::{LookupKind, LookupRef};
use mec_core::window::{PeriodUnit, WindowMode, WindowType};
use mec_core::{Code, Namespace};

use super::TestClock;
use super::given::{
    NOW, OWNER, code, commit, entitlement, entitlement_put, event, family, grant, namespace,
    other_namespace, recorded, reservation,
};
use crate::{CatalogueDraft, CommitError, Store};

async fn lookups<S: Store>(store: &S) -> Lookups {
    (*store.lookups().await.unwrap()).clone()
}

fn unit(name: &str, category: &str, base: &str, factor: i64) -> Unit {
    Unit {
        unit_code: code(name),
        unit_category: category.into(),
        description: "A unit".into(),
        scale: 3,
        base_unit_code: code(base),
        base_factor: factor,
    }
}

/// Adds pages and books of them, a fortnight and a robot.
fn with_more(lookups: &mut Lookups) {
    for unit in [
        unit("pages", "paper", "pages", 1),
        unit("books", "paper", "pages", 300),
    ] {
        lookups.units.insert(unit.unit_code.clone(), unit);
    }
    let fortnight = WindowType {
        code: code("fortnight"),
        description: "Two weeks".into(),
        mode: WindowMode::Calendar,
        period_unit: Some(PeriodUnit::Week),
        period_count: 2,
    };
    lookups.window_types.insert(code("fortnight"), fortnight);
    let robot = AccountType {
        account_type_code: code("robot"),
        description: "A machine".into(),
        can_have_children: false,
    };
    lookups.account_types.insert(code("robot"), robot);
}

fn resource(name: &str, units: &[&str]) -> CatalogueDraft {
    let units: Vec<Code> = units.iter().copied().map(code).collect();
    CatalogueDraft {
        over: None,
        resource_types: vec![ResourceType {
            resource_type_code: code(name),
            description: String::new(),
            default_unit_code: units[0].clone(),
            is_inventory: false,
            is_concurrency: false,
            is_time_bound: false,
            allowed_units: units,
        }],
        ..CatalogueDraft::default()
    }
}

async fn put_catalogue<S: Store>(store: &S, namespace: &Namespace, draft: &CatalogueDraft) {
    let put = store.put_catalogue(namespace, draft, NOW).await;
    put.unwrap();
}

async fn used<S: Store>(store: &S, kind: LookupKind, names: &[&str]) -> Vec<String> {
    let rows = names.iter().map(|name| LookupRef::new(kind, &code(name)));
    let used = store.used_lookups(rows.collect()).await.unwrap();
    assert!(used.iter().all(|row| row.kind == kind));
    used.into_iter().map(|row| row.code.to_string()).collect()
}

/// Every change of one row, and its removal, is refused and changes nothing; a description changes.
async fn stays<S: Store>(store: &S, change: &[fn(&mut Lookups)], describe: fn(&mut Lookups)) {
    let before = lookups(store).await;
    for change in change {
        let mut after = before.clone();
        change(&mut after);
        assert_ne!(after, before);
        let refused = store.put_lookups(&after).await;
        assert!(
            matches!(refused, Err(CommitError::Refused { .. })),
            "{refused:?}"
        );
        assert_eq!(lookups(store).await, before);
    }
    let mut after = before.clone();
    describe(&mut after);
    let put = store.put_lookups(&after).await.unwrap();
    after.version = before.version + 1;
    assert_eq!(*put, after);
    assert_eq!(lookups(store).await, after);
}

pub async fn rows_of_all_namespaces_are_replaced_and_their_version_rises<S: Store>(
    store: &S,
    _clock: &TestClock,
) {
    let mut after = lookups(store).await;
    assert_eq!(after.version, 1);
    with_more(&mut after);
    after.units.remove("bytes");
    after.window_types.remove("rolling_24h");
    after
        .window_types
        .get_mut("rolling_7d")
        .unwrap()
        .period_count = 8;
    after.account_types.remove("team");
    let put = store.put_lookups(&after).await.unwrap();
    after.version = 2;
    assert_eq!((&*put, &lookups(store).await), (&after, &after));
    // What nothing uses changes again, and goes.
    let books = after.units.get_mut("books").unwrap();
    *books = unit("books", "paper", "books", 1);
    after.units.remove("pages");
    after.window_types.remove("fortnight");
    store.put_lookups(&after).await.unwrap();
    after.version = 3;
    assert_eq!(lookups(store).await, after);
}

pub async fn what_is_new_is_in_every_catalogue<S: Store>(store: &S, _clock: &TestClock) {
    let mut after = lookups(store).await;
    with_more(&mut after);
    let put = store.put_lookups(&after).await.unwrap();
    for namespace in [namespace(), other_namespace()] {
        let catalogue = store.catalogue(&namespace, None).await.unwrap().unwrap();
        assert_eq!(catalogue.lookups, put);
        assert_eq!(catalogue.version, u64::from(namespace == self::namespace()));
    }
    put_catalogue(
        store,
        &other_namespace(),
        &resource("x", &["books", "pages"]),
    )
    .await;
    let catalogue = store.catalogue(&other_namespace(), None).await.unwrap();
    let catalogue = catalogue.unwrap();
    assert_eq!(catalogue.factor_of("books"), 300);
    assert_eq!(catalogue.resource_types.len(), 1);
}

pub async fn a_row_in_use_changes_only_its_description<S: Store>(store: &S, _clock: &TestClock) {
    let mut more = lookups(store).await;
    with_more(&mut more);
    store.put_lookups(&more).await.unwrap();
    let units = ["books", "pages", "bytes", "nothing", "hours"];
    assert_eq!(used(store, LookupKind::Unit, &units).await, ["hours"]);
    // In any namespace; and the unit that one in use counts in.
    put_catalogue(store, &other_namespace(), &resource("x", &["books"])).await;
    let now_used = used(store, LookupKind::Unit, &units).await;
    assert_eq!(now_used, ["books", "pages", "hours"]);
    stays(
        store,
        &[
            |all| drop(all.units.remove("books")),
            |all| drop(all.units.remove("pages")),
            |all| all.units.get_mut("books").unwrap().base_factor = 299,
            |all| all.units.get_mut("books").unwrap().scale = 2,
            |all| all.units.get_mut("pages").unwrap().scale = 2,
            |all| all.units.get_mut("books").unwrap().base_unit_code = code("bytes"),
            |all| {
                for unit in ["books", "pages"] {
                    all.units.get_mut(unit).unwrap().unit_category = "trees".into();
                }
            },
        ],
        |all| all.units.get_mut("books").unwrap().description = "Of 300 pages".into(),
    )
    .await;
    put_catalogue(store, &other_namespace(), &CatalogueDraft::default()).await;
    assert_eq!(used(store, LookupKind::Unit, &units).await, ["hours"]);
}

pub async fn a_unit_is_in_use_as_long_as_anything_was_recorded_in_it<S: Store>(
    store: &S,
    _clock: &TestClock,
) {
    family(store).await;
    let mut rows = recorded(event(1, OWNER, &[], 1, NOW));
    let mut held = reservation(2, OWNER);
    held.unit_code = code("days");
    rows.push(Change::ReservationPut {
        reservation: Arc::new(held),
        amount: 1,
        levels: vec![OWNER],
    });
    let mut given = grant(3, OWNER, 1);
    given.resource_type_code = code("another");
    given.unit_code = code("gpu_hours");
    rows.push(Change::GrantPut(given));
    let mut allowed = entitlement(4, OWNER);
    allowed.resource_type_code = code("another");
    allowed.unit_code = code("tokens");
    rows.push(entitlement_put(None, &allowed, 5));
    commit(store, rows).await;
    // The catalogue that named them is gone.
    put_catalogue(store, &namespace(), &resource("x", &["requests"])).await;
    let units = [
        "hours",
        "days",
        "minutes",
        "gpu_hours",
        "tokens",
        "requests",
        "bytes",
    ];
    let kept = used(store, LookupKind::Unit, &units).await;
    let (bytes, others) = units.split_last().unwrap();
    assert_eq!(
        (kept.as_slice(), *bytes),
        (
            &others.iter().map(ToString::to_string).collect::<Vec<_>>()[..],
            "bytes"
        )
    );
    stays(
        store,
        &[
            |all| drop(all.units.remove("hours")),
            |all| all.units.get_mut("hours").unwrap().base_factor = 61,
            |all| all.units.get_mut("days").unwrap().base_factor = 1,
        ],
        |all| all.units.get_mut("hours").unwrap().description = "Of 60 minutes".into(),
    )
    .await;
}

pub async fn window_and_account_types_are_in_use_by_what_names_them<S: Store>(
    store: &S,
    _clock: &TestClock,
) {
    put_catalogue(store, &namespace(), &resource("x", &["count"])).await;
    let windows = ["rolling_7d", "calendar_year", "calendar_day"];
    let accounts = ["organization", "team", "user"];
    assert!(
        used(store, LookupKind::WindowType, &windows)
            .await
            .is_empty()
    );
    assert!(
        used(store, LookupKind::AccountType, &accounts)
            .await
            .is_empty()
    );
    family(store).await;
    let mut allowed = entitlement(4, OWNER);
    allowed.window_type_code = code("rolling_7d");
    let mut given = grant(3, OWNER, 1);
    given.window_type_code = code("calendar_year");
    let rows = vec![entitlement_put(None, &allowed, 5), Change::GrantPut(given)];
    commit(store, rows).await;
    let named = used(store, LookupKind::WindowType, &windows).await;
    assert_eq!(named, ["rolling_7d", "calendar_year"]);
    let named = used(store, LookupKind::AccountType, &accounts).await;
    assert_eq!(named, ["organization"]);
    stays(
        store,
        &[
            |all| drop(all.window_types.remove("rolling_7d")),
            |all| all.window_types.get_mut("rolling_7d").unwrap().period_count = 8,
            |all| all.window_types.get_mut("calendar_year").unwrap().mode = WindowMode::Rolling,
            |all| {
                let window = all.window_types.get_mut("calendar_year").unwrap();
                window.period_unit = Some(PeriodUnit::Month);
            },
            |all| drop(all.account_types.remove("organization")),
            |all| {
                let row = all.account_types.get_mut("organization").unwrap();
                row.can_have_children = false;
            },
        ],
        |all| {
            all.window_types.get_mut("rolling_7d").unwrap().description = "A week".into();
            all.account_types
                .get_mut("organization")
                .unwrap()
                .description = "A firm".into();
        },
    )
    .await;
}
