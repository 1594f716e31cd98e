//! Questions for usage, in bounds and over time.

use mec_core::Timestamp;
use mec_core::ledger::Event;
use uuid::Uuid;

use super::TestClock;
use super::given::{
    ONE, OWNER, RESOURCE, TEAM, USER, account, code, commit, created, event, family, id, namespace,
    recorded, time,
};
use crate::{SeriesBucket, SeriesGroup, SeriesQuery, SeriesRow, Store, UsageQuery};

/// Hours in base units.
const HOUR: i128 = 60 * ONE;

fn scoped(mut event: Event, scope: &str) -> Event {
    event.resource_scope = Some(code(scope));
    event
}

fn told(mut event: Event, key: &str, value: &str) -> Event {
    event.details.insert(key.into(), value.into());
    event
}

/// Some months of a small family, each event with another power of two of hours.
async fn history<S: Store>(store: &S) {
    family(store).await;
    commit(store, vec![created(account(id(0x31), Some(TEAM)))]).await;
    let (user, other, team, owner) = (&[TEAM, OWNER][..], id(0x31), &[OWNER][..], &[][..]);
    let mut corrected = event(9, USER, user, -1, time("2026-01-31T23:59:59Z"));
    corrected.corrects_event_id = Some(id(1));
    let events = [
        told(
            event(1, USER, user, 1, time("2026-01-31T23:59:59Z")),
            "job",
            "night",
        ),
        scoped(event(2, USER, user, 2, time("2026-02-01T00:00:00Z")), "eu"),
        scoped(
            told(
                event(3, other, user, 4, time("2026-02-01T00:30:00Z")),
                "job",
                "day",
            ),
            "us",
        ),
        told(
            event(4, TEAM, team, 8, time("2026-02-01T01:00:00Z")),
            "job",
            "night",
        ),
        event(5, OWNER, owner, 16, time("2026-02-28T23:00:00Z")),
        scoped(
            event(6, OWNER, owner, 32, time("2026-03-01T00:00:00Z")),
            "eu",
        ),
        event(7, USER, user, 64, time("2026-03-01T11:59:00Z")),
    ];
    commit(store, events.into_iter().flat_map(recorded).collect()).await;
    commit(store, recorded(corrected)).await;
}

fn usage(account: Uuid, include_children: bool) -> UsageQuery {
    let (resource, namespace) = (code(RESOURCE), namespace());
    UsageQuery {
        namespace,
        account,
        resource,
        scope: None,
        from: None,
        to: None,
        include_children,
    }
}

pub async fn usage_counts_children_or_not<S: Store>(store: &S, _clock: &TestClock) {
    history(store).await;
    for (account, with_children, own) in [
        (OWNER, 126, 48),
        (TEAM, 78, 8),
        (USER, 66, 66),
        (id(0x31), 4, 4),
        (id(99), 0, 0),
    ] {
        assert_eq!(
            store.usage(usage(account, true)).await.unwrap(),
            with_children * HOUR,
            "{account}"
        );
        assert_eq!(
            store.usage(usage(account, false)).await.unwrap(),
            own * HOUR,
            "{account}"
        );
    }
    let other = UsageQuery {
        resource: code("llm_tokens"),
        ..usage(OWNER, true)
    };
    assert_eq!(store.usage(other).await.unwrap(), 0);
}

pub async fn usage_in_bounds<S: Store>(store: &S, _clock: &TestClock) {
    history(store).await;
    let bounds = |from: &str, to: &str| (Some(time(from)), Some(time(to)));
    for ((from, to), all, own, eu) in [
        (
            bounds("2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"),
            30,
            16,
            2,
        ),
        (
            bounds("2026-02-01T00:01:00Z", "2026-02-01T01:01:00Z"),
            12,
            0,
            0,
        ),
        ((Some(time("2026-02-28T23:00:00Z")), None), 112, 48, 32),
        ((None, Some(time("2026-02-01T01:00:00Z"))), 6, 0, 2),
        (
            bounds("2026-03-02T00:00:00Z", "2026-03-01T00:00:00Z"),
            0,
            0,
            0,
        ),
    ] {
        let query = UsageQuery {
            from,
            to,
            ..usage(OWNER, true)
        };
        assert_eq!(
            store.usage(query.clone()).await.unwrap(),
            all * HOUR,
            "{from:?} {to:?}"
        );
        let in_scope = UsageQuery {
            scope: Some(code("eu")),
            ..query.clone()
        };
        assert_eq!(
            store.usage(in_scope).await.unwrap(),
            eu * HOUR,
            "{from:?} {to:?}"
        );
        let alone = UsageQuery {
            include_children: false,
            ..query
        };
        assert_eq!(
            store.usage(alone).await.unwrap(),
            own * HOUR,
            "{from:?} {to:?}"
        );
    }
    let own_eu = UsageQuery {
        scope: Some(code("eu")),
        ..usage(OWNER, false)
    };
    assert_eq!(store.usage(own_eu).await.unwrap(), 32 * HOUR);
}

fn series(
    account: Uuid,
    from: &str,
    to: &str,
    bucket: SeriesBucket,
    group_by: Option<SeriesGroup>,
) -> SeriesQuery {
    let (from, to): (Timestamp, Timestamp) = (time(from), time(to));
    SeriesQuery {
        namespace: namespace(),
        account,
        resource: code(RESOURCE),
        from,
        to,
        bucket,
        group_by,
        limit: 1_000,
    }
}

async fn check<S: Store>(store: &S, query: SeriesQuery, expected: &[(&str, Option<&str>, i128)]) {
    let row = |(at, group, hours): &(&str, Option<&str>, i128)| SeriesRow {
        bucket_start: time(at),
        group: group.map(Into::into),
        amount: hours * HOUR,
    };
    let expected: Vec<SeriesRow> = expected.iter().map(row).collect();
    assert_eq!(
        store.series(query.clone()).await.unwrap(),
        expected,
        "{query:?}"
    );
}

pub async fn series_by_bucket<S: Store>(store: &S, _clock: &TestClock) {
    history(store).await;
    let year = |account, bucket| series(account, "2026-01-01", "2027-01-01", bucket, None);
    // January is left out: its event was corrected to nothing.
    check(
        store,
        year(OWNER, SeriesBucket::Month),
        &[("2026-02-01", None, 30), ("2026-03-01", None, 96)],
    )
    .await;
    let days = [
        ("2026-02-01", None, 14),
        ("2026-02-28", None, 16),
        ("2026-03-01", None, 96),
    ];
    check(store, year(OWNER, SeriesBucket::Day), &days).await;
    let hours = [
        ("2026-02-01T00:00Z", None, 2),
        ("2026-03-01T11:00Z", None, 64),
    ];
    check(store, year(USER, SeriesBucket::Hour), &hours).await;
    let cut = series(
        OWNER,
        "2026-02-01T00:00Z",
        "2026-02-01T00:30Z",
        SeriesBucket::Hour,
        None,
    );
    check(store, cut, &[("2026-02-01T00:00Z", None, 2)]).await;
    let cut = series(
        OWNER,
        "2026-02-01",
        "2026-03-01T11:59Z",
        SeriesBucket::Month,
        None,
    );
    check(
        store,
        cut,
        &[("2026-02-01", None, 30), ("2026-03-01", None, 32)],
    )
    .await;
    check(
        store,
        series(id(99), "2026-01-01", "2027-01-01", SeriesBucket::Day, None),
        &[],
    )
    .await;
}

pub async fn series_by_scope<S: Store>(store: &S, _clock: &TestClock) {
    history(store).await;
    let query = series(
        OWNER,
        "2026-01-01",
        "2026-03-01T11:59Z",
        SeriesBucket::Month,
        Some(SeriesGroup::Scope),
    );
    let expected = [
        ("2026-02-01", None, 24),
        ("2026-02-01", Some("eu"), 2),
        ("2026-02-01", Some("us"), 4),
        ("2026-03-01", Some("eu"), 32),
    ];
    check(store, query, &expected).await;
}

pub async fn series_by_account<S: Store>(store: &S, _clock: &TestClock) {
    history(store).await;
    let (user, other, team) = (USER.to_string(), id(0x31).to_string(), TEAM.to_string());
    let query = series(
        TEAM,
        "2026-02-01",
        "2026-03-02",
        SeriesBucket::Day,
        Some(SeriesGroup::Account),
    );
    let expected = [
        ("2026-02-01", Some(&*team), 8),
        ("2026-02-01", Some(&*user), 2),
        ("2026-02-01", Some(&*other), 4),
        ("2026-03-01", Some(&*user), 64),
    ];
    check(store, query, &expected).await;
}

pub async fn series_by_detail<S: Store>(store: &S, _clock: &TestClock) {
    history(store).await;
    let group = Some(SeriesGroup::Detail("job".into()));
    let query = series(
        OWNER,
        "2026-01-01",
        "2026-03-02",
        SeriesBucket::Month,
        group,
    );
    let expected = [
        ("2026-02-01", None, 18),
        ("2026-02-01", Some("day"), 4),
        ("2026-02-01", Some("night"), 8),
        ("2026-03-01", None, 96),
    ];
    check(store, query, &expected).await;
}

pub async fn a_series_is_cut_at_its_limit<S: Store>(store: &S, _clock: &TestClock) {
    history(store).await;
    for group_by in [
        None,
        Some(SeriesGroup::Scope),
        Some(SeriesGroup::Account),
        Some(SeriesGroup::Detail("job".into())),
    ] {
        let query = series(
            OWNER,
            "2026-01-01",
            "2027-01-01",
            SeriesBucket::Hour,
            group_by,
        );
        let all = store.series(query.clone()).await.unwrap();
        let some = store
            .series(SeriesQuery { limit: 2, ..query })
            .await
            .unwrap();
        assert_eq!(some, all[..2]);
    }
}
