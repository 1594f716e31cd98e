//! Sums in bounds and over time, against a plain list of what was used.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod common;

use common::{Tree, World, code, namespace, planted, time, whole};
use mec_core::need::{Loaded, Need};
use mec_core::usage::CounterKey;
use mec_core::{Code, Timestamp};
use mec_store::{SeriesBucket, SeriesGroup, SeriesQuery, SeriesRow, Store, UsageQuery};
use mec_store_sqlite::{SqliteStore, verify};
use uuid::Uuid;

struct Used {
    account: Uuid,
    scope: Option<&'static str>,
    quantity: i64,
    at: Timestamp,
}

/// Some sixty events of two accounts around the bounds of hours, days, months and years.
async fn history(world: &mut World, store: &SqliteStore) -> (Tree, Uuid, Uuid, Vec<Used>) {
    let (mut tree, owner, child) = planted(world, store).await;
    let moments = [
        "2025-12-31T23:59:59.999999Z",
        "2026-01-01T00:00:00Z",
        "2026-01-31T23:59:00Z",
        "2026-02-01T00:00:00Z",
        "2026-02-01T00:00:59Z",
        "2026-02-01T00:59:59Z",
        "2026-02-01T01:00:00Z",
        "2026-02-02T00:00:00Z",
        "2026-02-02T13:30:30Z",
        "1969-12-31T23:30:30Z",
    ];
    let mut used = Vec::new();
    for (index, moment) in moments.into_iter().enumerate() {
        for (account, levels) in [(owner, vec![owner]), (child, vec![child, owner])] {
            for scope in [None, Some("eu"), Some("us")] {
                let quantity =
                    i64::try_from(used.len()).unwrap() % 9 + 1 - i64::from(index == 3) * 7;
                let changes = tree.event(
                    world.id(),
                    &levels,
                    "benchmark_runs",
                    scope,
                    quantity,
                    moment,
                );
                tree.commit(store, changes).await.unwrap();
                used.push(Used {
                    account,
                    scope,
                    quantity,
                    at: time(moment),
                });
            }
        }
    }
    (tree, owner, child, used)
}

fn bounds() -> Vec<Option<Timestamp>> {
    let moments = [
        "1969-12-31T23:30:00Z",
        "1969-12-31T23:31:00Z",
        "2025-12-31T23:59:00Z",
        "2026-01-01T00:00:00Z",
        "2026-01-31T23:59:00Z",
        "2026-02-01T00:00:00Z",
        "2026-02-01T00:01:00Z",
        "2026-02-01T00:59:00Z",
        "2026-02-01T01:00:00Z",
        "2026-02-01T05:17:00Z",
        "2026-02-02T00:00:00Z",
        "2026-02-02T13:31:00Z",
    ];
    std::iter::once(None)
        .chain(moments.into_iter().map(|moment| Some(time(moment))))
        .collect()
}

#[tokio::test]
async fn sums_in_bounds_are_those_of_the_list() {
    let mut world = World::new();
    let store = world.open();
    let (tree, owner, child, used) = history(&mut world, &store).await;
    for from in bounds() {
        for to in bounds() {
            for scope in [None, Some("eu"), Some("none of it")] {
                for (account, include_children) in
                    [(owner, true), (owner, false), (child, true), (child, false)]
                {
                    let expected: i64 = used
                        .iter()
                        .filter(|u| u.account == account || (include_children && account == owner))
                        .filter(|u| scope.is_none() || u.scope == scope)
                        .filter(|u| {
                            from.is_none_or(|from| from <= u.at) && to.is_none_or(|to| u.at < to)
                        })
                        .map(|u| u.quantity)
                        .sum();
                    let scope = scope.map(code);
                    let query = UsageQuery {
                        namespace: namespace(),
                        account,
                        resource: code("benchmark_runs"),
                        scope: scope.clone(),
                        from,
                        to,
                        include_children,
                    };
                    let found = store.usage(query.clone()).await.unwrap();
                    assert_eq!(found, whole(expected), "{query:?}");
                    if include_children {
                        let counter = CounterKey {
                            resource: code("benchmark_runs"),
                            scope,
                            drawn_for: None,
                        };
                        let need = Need::Sum {
                            level: account,
                            counter,
                            from,
                            to,
                        };
                        let loaded = common::load(&store, tree.head.tree_id, need).await;
                        assert!(matches!(loaded, Loaded::Sum(sum) if sum == found));
                    }
                }
            }
        }
    }
    assert_eq!(verify(world.path(), &mut |_| {}).unwrap().problem, None);
}

#[tokio::test]
async fn a_minute_can_be_split_where_usage_counts_anew() {
    let mut world = World::new();
    let store = world.open();
    let (mut tree, owner, _) = planted(&mut world, &store).await;
    let split = time("2026-05-04T10:00:20Z");
    for (at, bucket) in [
        ("2026-05-04T10:00:10Z", "2026-05-04T10:00:00Z"),
        ("2026-05-04T10:00:30Z", "2026-05-04T10:00:20Z"),
    ] {
        let mut changes = tree.event(world.id(), &[owner], "benchmark_runs", None, 1, at);
        if let Some(mec_core::change::Change::UsageAdded { bucket: held, .. }) = changes.first_mut()
        {
            *held = time(bucket);
        }
        tree.commit(&store, changes).await.unwrap();
    }
    for (from, to, expected) in [
        (Some(split), None, 1),
        (None, Some(split), 1),
        (None, None, 2),
    ] {
        let counter = CounterKey {
            resource: code("benchmark_runs"),
            scope: None,
            drawn_for: None,
        };
        let need = Need::Sum {
            level: owner,
            counter,
            from,
            to,
        };
        assert!(
            matches!(common::load(&store, owner, need).await, Loaded::Sum(sum) if sum == whole(expected))
        );
    }
    assert_eq!(verify(world.path(), &mut |_| {}).unwrap().problem, None);
}

fn expected_series(
    used: &[Used],
    query: &SeriesQuery,
    group: impl Fn(&Used) -> Option<String>,
) -> Vec<SeriesRow> {
    let mut sums = std::collections::BTreeMap::<(Timestamp, Option<String>), i64>::new();
    for used in used
        .iter()
        .filter(|u| query.from <= u.at && u.at < query.to)
    {
        let start = match query.bucket {
            SeriesBucket::Hour => used.at.floor_hour(),
            SeriesBucket::Day => used.at.floor_day(),
            SeriesBucket::Month => time(&format!("{}-01T00:00:00Z", &used.at.to_canonical()[..7])),
        };
        *sums.entry((start, group(used))).or_default() += used.quantity;
    }
    let rows = sums
        .into_iter()
        .filter(|(_, amount)| *amount != 0)
        .take(query.limit);
    rows.map(|((bucket_start, group), amount)| SeriesRow {
        bucket_start,
        group,
        amount: whole(amount),
    })
    .collect()
}

#[tokio::test]
async fn series_are_those_of_the_list_in_every_grouping() {
    let mut world = World::new();
    let store = world.open();
    let (_, owner, child, used) = history(&mut world, &store).await;
    let resource: Code = code("benchmark_runs");
    for bucket in [SeriesBucket::Hour, SeriesBucket::Day, SeriesBucket::Month] {
        for to in [
            "2026-03-01T00:00:00Z",
            "2026-02-02T00:00:00Z",
            "2026-02-01T00:30:00Z",
        ] {
            for limit in [1000, 3] {
                let groups = [
                    None,
                    Some(SeriesGroup::Scope),
                    Some(SeriesGroup::Account),
                    Some(SeriesGroup::Detail("region".to_owned())),
                    Some(SeriesGroup::Detail("nothing".to_owned())),
                ];
                for group_by in groups {
                    let query = SeriesQuery {
                        namespace: namespace(),
                        account: owner,
                        resource: resource.clone(),
                        from: time("2026-01-01T00:00:00Z"),
                        to: time(to),
                        bucket,
                        group_by: group_by.clone(),
                        limit,
                    };
                    let group = |used: &Used| match &group_by {
                        None => None,
                        Some(SeriesGroup::Scope) => used.scope.map(str::to_owned),
                        Some(SeriesGroup::Account) => Some(used.account.to_string()),
                        Some(SeriesGroup::Detail(key)) => (key == "region")
                            .then(|| if used.quantity > 5 { "eu" } else { "us" }.to_owned()),
                    };
                    let expected = expected_series(&used, &query, group);
                    assert!(!expected.is_empty());
                    assert_eq!(
                        store.series(query.clone()).await.unwrap(),
                        expected,
                        "{query:?}"
                    );
                }
            }
        }
    }
    let query = SeriesQuery {
        namespace: namespace(),
        account: child,
        resource,
        from: time("2026-01-01T00:00:00Z"),
        to: time("2026-03-01T00:00:00Z"),
        bucket: SeriesBucket::Month,
        group_by: Some(SeriesGroup::Account),
        limit: 10,
    };
    let own: Vec<Used> = used.into_iter().filter(|u| u.account == child).collect();
    let expected = expected_series(&own, &query, |u| Some(u.account.to_string()));
    assert_eq!(store.series(query).await.unwrap(), expected);
}

#[tokio::test]
async fn an_unknown_account_has_used_nothing() {
    let mut world = World::new();
    let store = world.open();
    for include_children in [true, false] {
        let query = UsageQuery {
            namespace: namespace(),
            account: world.id(),
            resource: code("benchmark_runs"),
            scope: None,
            from: None,
            to: None,
            include_children,
        };
        assert_eq!(store.usage(query).await.unwrap(), 0);
    }
}
