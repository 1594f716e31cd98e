//! Sums of counters, compared with adding everything up.

use std::collections::BTreeMap;

use mec_core::change::Change;
use mec_core::need::{Loaded, Need};
use mec_core::usage::CounterKey;
use mec_core::{Namespace, Timestamp};
use uuid::Uuid;

use super::TestClock;
use super::given::{
    NOW, ONE, OWNER, RESOURCE, TEAM, code, commit, counter, family, load, namespace, sum, time,
    try_commit, used,
};
use crate::{Batch, CommitError, Store};

pub async fn a_counter_without_usage_is_zero<S: Store>(store: &S, _clock: &TestClock) {
    family(store).await;
    for (from, to) in [
        (None, None),
        (Some(NOW.floor_minute()), None),
        (None, Some(NOW.floor_minute())),
    ] {
        assert_eq!(sum(store, TEAM, counter(None), from, to).await, 0);
    }
    let need = Need::Rolling {
        level: TEAM,
        counter: counter(None),
        from_hour: NOW.floor_hour(),
        minutes_of: NOW.floor_hour(),
    };
    let loaded = load(store, &namespace(), need).await;
    assert!(
        matches!(&loaded, Loaded::Rolling { hours, minutes } if hours.is_empty() && minutes.is_empty()),
        "{loaded:?}"
    );
}

/// Edges of minutes, hours, days, months and years, a leap day among them, and the time before 1970.
const EDGES: [&str; 18] = [
    "1969-12-31T23:59:00Z",
    "1970-01-01T00:00:00Z",
    "2023-12-31T23:59:00Z",
    "2024-01-01T00:00:00Z",
    "2024-02-28T23:59:00Z",
    "2024-02-29T00:00:00Z",
    "2024-02-29T12:34:00Z",
    "2024-02-29T23:59:00Z",
    "2024-03-01T00:00:00Z",
    "2024-03-01T00:01:00Z",
    "2024-03-01T00:59:00Z",
    "2024-03-01T01:00:00Z",
    "2024-03-01T22:30:00Z",
    "2024-03-01T23:00:00Z",
    "2024-03-01T23:59:00Z",
    "2024-03-02T00:00:00Z",
    "2025-07-04T05:06:00Z",
    "2026-03-01T12:00:00Z",
];

pub async fn every_range_is_exact<S: Store>(store: &S, _clock: &TestClock) {
    family(store).await;
    let events: Vec<(Timestamp, i128)> = EDGES
        .iter()
        .zip(0..)
        .map(|(edge, n)| (time(edge), 1 << n))
        .collect();
    // In two commits, so that sums within and across batches are both asked for.
    for half in events.chunks(9) {
        commit(
            store,
            half.iter()
                .map(|(at, amount)| used(TEAM, None, *at, *amount))
                .collect(),
        )
        .await;
    }
    let mut bounds: Vec<Option<Timestamp>> = EDGES.iter().map(|edge| Some(time(edge))).collect();
    bounds.push(None);
    let mut batch = store.begin(0, &[], &[]).await.unwrap();
    for from in &bounds {
        for to in &bounds {
            let within = |at: &Timestamp| {
                from.is_none_or(|from| from <= *at) && to.is_none_or(|to| *at < to)
            };
            let expected: i128 = events
                .iter()
                .filter(|(at, _)| within(at))
                .map(|(_, amount)| amount)
                .sum();
            let need = Need::Sum {
                level: TEAM,
                counter: counter(None),
                from: *from,
                to: *to,
            };
            let loaded = batch
                .load(&namespace(), OWNER, &[need])
                .await
                .unwrap()
                .remove(0);
            assert!(
                matches!(loaded, Loaded::Sum(sum) if sum == expected),
                "{from:?} {to:?}: {loaded:?}, not {expected}"
            );
        }
    }
}

pub async fn split_minutes_count_from_their_start<S: Store>(store: &S, _clock: &TestClock) {
    family(store).await;
    let minute = NOW.floor_minute();
    let split = minute.saturating_add_micros(17_000_001);
    let next = minute.saturating_add_micros(Timestamp::MICROS_PER_MINUTE);
    commit(
        store,
        vec![
            used(TEAM, None, minute, 1),
            used(TEAM, None, split, 10),
            used(TEAM, None, next, 100),
        ],
    )
    .await;
    for (from, to, expected) in [
        (Some(minute), Some(next), 11),
        (Some(split), Some(next), 10),
        (Some(minute), Some(split), 1),
        (Some(split), None, 110),
        (None, Some(split), 1),
        (None, None, 111),
    ] {
        assert_eq!(
            sum(store, TEAM, counter(None), from, to).await,
            expected,
            "{from:?} {to:?}"
        );
    }
}

pub async fn scopes_and_draws_are_counters_of_their_own<S: Store>(store: &S, _clock: &TestClock) {
    family(store).await;
    let bucket = NOW.floor_minute();
    let drawn = |scope: Option<&str>, window: &str, amount| Change::UsageAdded {
        level: TEAM,
        resource: code(RESOURCE),
        scope: scope.map(code),
        drawn_for: Some(code(window)),
        bucket,
        amount,
    };
    let other = Change::UsageAdded {
        level: TEAM,
        resource: code("llm_tokens"),
        scope: None,
        drawn_for: None,
        bucket,
        amount: 9,
    };
    let amounts = vec![
        used(TEAM, None, bucket, 1),
        used(TEAM, Some("eu"), bucket, 2),
        used(TEAM, Some("us"), bucket, 4),
        other,
    ];
    commit(store, amounts).await;
    commit(
        store,
        vec![
            drawn(Some("eu"), "calendar_month", 16),
            drawn(None, "calendar_month", 32),
            drawn(None, "none", 64),
        ],
    )
    .await;
    let of = |scope: Option<&str>, drawn_for: Option<&str>| CounterKey {
        drawn_for: drawn_for.map(code),
        ..counter(scope)
    };
    for (key, expected) in [
        (of(None, None), 7),
        (of(Some("eu"), None), 2),
        (of(Some("us"), None), 4),
        (of(Some("asia"), None), 0),
        (of(None, Some("calendar_month")), 48),
        (of(Some("eu"), Some("calendar_month")), 16),
        (of(None, Some("none")), 64),
        (of(None, Some("calendar_day")), 0),
        (
            CounterKey {
                resource: code("llm_tokens"),
                ..counter(None)
            },
            9,
        ),
    ] {
        assert_eq!(
            sum(store, TEAM, key.clone(), None, None).await,
            expected,
            "{key:?}"
        );
        assert_eq!(
            sum(store, TEAM, key.clone(), Some(bucket), None).await,
            expected,
            "{key:?}"
        );
        assert_eq!(sum(store, OWNER, key, None, None).await, 0);
    }
}

pub async fn negative_amounts_carry<S: Store>(store: &S, _clock: &TestClock) {
    family(store).await;
    let bucket = NOW.floor_minute();
    let mut expected = 0;
    for amount in [
        -1,
        1,
        999_999,
        1,
        -ONE,
        -ONE - 1,
        3 * ONE + 5,
        -7_654_321,
        1 << 66,
        -(1 << 66) - 999_999,
    ] {
        commit(store, vec![used(TEAM, None, bucket, amount)]).await;
        expected += amount;
        assert_eq!(sum(store, TEAM, counter(None), None, None).await, expected);
        assert_eq!(
            sum(store, TEAM, counter(None), Some(bucket), None).await,
            expected
        );
        assert_eq!(
            sum(store, TEAM, counter(None), Some(bucket.floor_day()), None).await,
            expected
        );
    }
}

pub async fn sums_exceed_64_bits<S: Store>(store: &S, _clock: &TestClock) {
    family(store).await;
    // The largest event in days, of which one is 1,440 base units.
    let largest = mec_core::Quantity::MAX_EVENT.micros() * 1440;
    let buckets: Vec<_> = (0..7)
        .map(|n| NOW.floor_minute().saturating_add_secs(-n * 5_000_040))
        .collect();
    for bucket in &buckets {
        commit(store, vec![used(TEAM, None, *bucket, largest)]).await;
    }
    commit(
        store,
        buckets
            .iter()
            .map(|bucket| used(TEAM, None, *bucket, largest))
            .collect(),
    )
    .await;
    assert_eq!(
        sum(store, TEAM, counter(None), None, None).await,
        14 * largest
    );
    assert_eq!(
        sum(
            store,
            TEAM,
            counter(None),
            Some(buckets[6]),
            Some(buckets[0])
        )
        .await,
        12 * largest
    );
}

pub async fn a_sum_that_would_overflow_is_refused<S: Store>(store: &S, _clock: &TestClock) {
    family(store).await;
    let bucket = NOW.floor_minute();
    let mut expected = 0;
    let mut refusals = 0;
    for amount in (60..126).flat_map(|bits| [1_i128 << bits, (1 << bits) - 1]) {
        let changes = vec![
            used(OWNER, None, bucket, 1),
            used(TEAM, None, bucket, amount),
            used(OWNER, None, bucket, 2),
        ];
        match try_commit(store, false, changes).await {
            Ok(()) => expected += amount,
            Err(CommitError::Refused {
                command: None | Some(1),
                overflow: true,
                ..
            }) => refusals += 1,
            Err(error) => panic!("{error:?}"),
        }
        assert_eq!(sum(store, TEAM, counter(None), None, None).await, expected);
        assert_eq!(
            sum(store, TEAM, counter(None), Some(bucket), None).await,
            expected
        );
    }
    assert!(refusals > 0);
    let committed = sum(store, OWNER, counter(None), None, None).await;
    assert_eq!(committed, 3 * (132 - refusals));
    // The negative end is no different.
    let mut refused = false;
    for bits in 60..126 {
        refused |= try_commit(store, false, vec![used(OWNER, None, bucket, -(1 << bits))])
            .await
            .is_err();
    }
    assert!(refused);
}

pub async fn rolling_hours_and_minutes<S: Store>(store: &S, _clock: &TestClock) {
    family(store).await;
    let at = |text: &str| time(text);
    let amounts = [
        ("2026-03-01T08:59:00Z", 1),
        ("2026-03-01T09:00:00Z", 10),
        ("2026-03-01T09:30:00Z", 100),
        ("2026-03-01T09:30:00Z", 1_000),
        ("2026-03-01T09:59:00Z", 10_000),
        ("2026-03-01T12:00:00Z", 100_000),
    ];
    commit(
        store,
        amounts
            .map(|(bucket, amount)| used(TEAM, None, at(bucket), amount))
            .into(),
    )
    .await;
    let hour = at("2026-03-01T09:00:00Z");
    let rolling = async |level: Uuid, namespace: &Namespace| {
        let need = Need::Rolling {
            level,
            counter: counter(None),
            from_hour: hour,
            minutes_of: hour,
        };
        match load(store, namespace, need).await {
            // A store may leave an hour without usage out or tell it as zero.
            Loaded::Rolling { hours, minutes } => {
                let told = |rows: Vec<(Timestamp, i128)>| {
                    rows.into_iter()
                        .filter(|row| row.1 != 0)
                        .collect::<BTreeMap<_, _>>()
                };
                (told(hours), told(minutes))
            }
            other => panic!("{other:?}"),
        }
    };
    let (hours, minutes) = rolling(TEAM, &namespace()).await;
    assert_eq!(
        hours,
        BTreeMap::from([(hour, 11_110), (at("2026-03-01T12:00:00Z"), 100_000)])
    );
    let expected = [
        (hour, 10),
        (at("2026-03-01T09:30:00Z"), 1_100),
        (at("2026-03-01T09:59:00Z"), 10_000),
    ];
    assert_eq!(minutes, BTreeMap::from(expected));
    assert_eq!(
        rolling(OWNER, &namespace()).await,
        (BTreeMap::new(), BTreeMap::new())
    );
}
