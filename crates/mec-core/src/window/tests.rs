//! Tests of `window`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;

use super::bounds::{month_index, month_start};
use super::*;

const NAMES: [&str; 14] = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "Pacific/Apia",
    "America/St_Johns",
    "Africa/Casablanca",
    "Europe/Amsterdam",
    "America/Toronto",
    "Africa/Monrovia",
    "Asia/Manila",
    "America/Ciudad_Juarez",
];

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn zone(name: &str) -> Zone {
    Zone::parse(name).unwrap()
}

/// A type from a code like `calendar 3 month`.
fn kind(text: &str) -> WindowType {
    let mut words = text.split(' ');
    let mode = WindowMode::parse(words.next().unwrap()).unwrap();
    let count = words.next().unwrap().parse().unwrap();
    let unit = PeriodUnit::parse(words.next().unwrap());
    seed("test", text, mode, unit, count)
}

fn window(kind_text: &str, anchor: &str, zone_name: &str, reference: &str) -> (String, String) {
    let window = kind(kind_text).window_at(at(anchor), &zone(zone_name), at(reference));
    assert!(window.contains(at(reference)));
    (
        window.start.unwrap().to_canonical(),
        window.end.unwrap().to_canonical(),
    )
}

/// Each row: kind | zone | reference | start | end.
fn check_calendar(table: &str) {
    for row in table.lines().map(str::trim).filter(|row| !row.is_empty()) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let [unit, zone, reference, start, end] = cells.try_into().unwrap();
        let found = window(&format!("calendar {unit}"), "2000-01-01", zone, reference);
        assert_eq!(
            found,
            (at(start).to_canonical(), at(end).to_canonical()),
            "{row}"
        );
    }
}

#[test]
fn calendar_examples() {
    check_calendar(
        "1 month | UTC | 2024-02-29T23:59:59.999999Z | 2024-02-01 | 2024-03-01
        1 month | UTC | 1969-12-31T23:59 | 1969-12-01 | 1970-01-01
        3 month | UTC | 2026-05-15 | 2026-04-01 | 2026-07-01
        1 year | UTC | 2026-05-15 | 2026-01-01 | 2027-01-01
        10 year | UTC | 2026-05-15 | 2020-01-01 | 2030-01-01
        1 week | UTC | 2026-11-24T10:00 | 2026-11-23 | 2026-11-30
        2 week | UTC | 1970-01-04 | 1969-12-22 | 1970-01-05
        7 day | UTC | 1970-01-08 | 1970-01-08 | 1970-01-15
        5 minute | UTC | 2026-11-24T10:04:59 | 2026-11-24T10:00 | 2026-11-24T10:05
        1 month | Europe/Berlin | 2026-10-31T22:59 | 2026-09-30T22:00Z | 2026-10-31T23:00Z
        1 year | America/New_York | 2026-01-01T04:59 | 2025-01-01T05:00 | 2026-01-01T05:00
        1 week | Asia/Kathmandu | 2026-11-22T18:15 | 2026-11-22T18:15 | 2026-11-29T18:15
        1 hour | Asia/Kathmandu | 2026-11-24T10:20 | 2026-11-24T10:15 | 2026-11-24T11:15",
    );
}

#[test]
fn days_where_the_clock_changes() {
    check_calendar(
        // 23 and 25 hours, and half an hour either way.
        "1 day | Europe/Berlin | 2026-03-29T12:00 | 2026-03-28T23:00 | 2026-03-29T22:00
        1 day | Europe/Berlin | 2026-10-25T12:00 | 2026-10-24T22:00 | 2026-10-25T23:00
        1 day | Australia/Lord_Howe | 2026-04-04T20:00 | 2026-04-04T13:00 | 2026-04-05T13:30
        1 day | America/Sao_Paulo | 2018-11-04T12:00 | 2018-11-04T03:00 | 2018-11-05T02:00
        1 day | America/Sao_Paulo | 2018-02-18T02:30 | 2018-02-17T02:00 | 2018-02-18T03:00
        1 day | Pacific/Apia | 2011-12-30T10:00 | 2011-12-30T10:00 | 2011-12-31T10:00
        1 day | Pacific/Apia | 2011-12-30T09:59 | 2011-12-29T10:00 | 2011-12-30T10:00
        1 day | America/St_Johns | 2006-10-29T02:30 | 2006-10-29T02:30 | 2006-10-30T03:30
        1 day | America/St_Johns | 2006-10-29T02:31 | 2006-10-29T02:30 | 2006-10-30T03:30
        1 day | America/St_Johns | 2006-10-29T03:29 | 2006-10-29T02:30 | 2006-10-30T03:30
        1 day | America/Toronto | 1919-03-31T04:30 | 1919-03-31T04:30 | 1919-04-01T04:00
        1 day | America/Toronto | 1919-03-31T04:29 | 1919-03-30T05:00 | 1919-03-31T04:30
        1 hour | Europe/Berlin | 2026-10-25T00:30 | 2026-10-25T00:00 | 2026-10-25T01:00
        1 hour | Europe/Berlin | 2026-10-25T01:30 | 2026-10-25T01:00 | 2026-10-25T02:00
        1 hour | Australia/Lord_Howe | 2026-04-04T15:10 | 2026-04-04T15:00 | 2026-04-04T15:30
        4 hour | Europe/Berlin | 2026-03-29T01:30 | 2026-03-29T01:00 | 2026-03-29T02:00
        1000 hour | America/Ciudad_Juarez | 2022-11-30T06:00 | 2022-11-30T06:00 | 2022-12-07T15:00
        4 hour | Europe/Berlin | 2026-03-29T00:59 | 2026-03-28T23:00 | 2026-03-29T01:00",
    );
}

/// Boundaries after the reference, each the start of the next window.
fn following(kind: &WindowType, anchor: Timestamp, mut from: Timestamp, n: usize) -> String {
    let mut dates = Vec::new();
    for _ in 0..n {
        let found = kind.window_at(anchor, &Zone::utc(), from);
        dates.push(
            found
                .start
                .unwrap()
                .to_canonical()
                .get(..10)
                .unwrap()
                .to_owned(),
        );
        from = found.end.unwrap();
    }
    dates.join(" ")
}

#[test]
fn anniversaries_count_from_the_anchor() {
    let month = kind("anniversary 1 month");
    let from_31st = following(&month, at("2026-01-31T10:20:30Z"), at("2026-02-01"), 6);
    assert_eq!(
        from_31st,
        "2026-01-31 2026-02-28 2026-03-31 2026-04-30 2026-05-31 2026-06-30"
    );
    let from_30th = following(&month, at("2023-12-30"), at("2024-01-31"), 4);
    assert_eq!(from_30th, "2024-01-30 2024-02-29 2024-03-30 2024-04-30");
    let backwards = following(&month, at("2026-05-31"), at("2025-12-31"), 4);
    assert_eq!(backwards, "2025-12-31 2026-01-31 2026-02-28 2026-03-31");
    let leap = following(
        &kind("anniversary 1 year"),
        at("2024-02-29"),
        at("2024-03-01"),
        5,
    );
    assert_eq!(
        leap,
        "2024-02-29 2025-02-28 2026-02-28 2027-02-28 2028-02-29"
    );
    let century = following(
        &kind("anniversary 4 year"),
        at("2096-02-29"),
        at("2096-03-01"),
        3,
    );
    assert_eq!(century, "2096-02-29 2100-02-28 2104-02-29");
    let days = following(
        &kind("anniversary 10 day"),
        at("2026-01-05"),
        at("2026-01-01"),
        3,
    );
    assert_eq!(days, "2025-12-26 2026-01-05 2026-01-15");
    let cut = window(
        "anniversary 1 month",
        "2026-01-15T10:20:59.9Z",
        "Asia/Kathmandu",
        "2026-02-15T10:20:00Z",
    );
    assert_eq!(cut.0, "2026-02-15T10:20:00+00:00");
}

#[test]
fn rolling_months_never_run_backwards() {
    let table = "2026-03-27T10:00 2026-02-27T09:59|2026-03-28T10:00 2026-02-27T23:59|\
        2026-03-31T23:59 2026-02-27T23:59|2026-04-01 2026-02-28T23:59|\
        2026-04-30T10:00 2026-03-30T09:59|2026-05-01T00:00 2026-03-31T23:59|\
        2024-03-29T10:00 2024-02-28T23:59|2026-01-31T10:00 2025-12-31T09:59";
    for (end, start) in table.split('|').map(|row| row.split_once(' ').unwrap()) {
        let now = at(end).saturating_add_micros(-1);
        let found = kind("rolling 1 month").window_at(now, &Zone::utc(), now);
        assert_eq!(
            (found.start, found.end),
            (Some(at(start)), Some(at(end))),
            "{end}"
        );
    }
}

#[test]
fn validates_and_orders() {
    assert!(seeded().iter().all(|kind| kind.validate().is_ok()));
    for text in [
        "rolling 366 day",
        "rolling 12 month",
        "rolling 1 year",
        "none 0 -",
    ] {
        assert_eq!(kind(text).validate(), Ok(()), "{text}");
    }
    for text in [
        "rolling 367 day",
        "rolling 13 month",
        "calendar 0 day",
        "calendar 1001 day",
    ] {
        assert!(kind(text).validate().is_err(), "{text}");
    }
    assert!(kind("calendar 1 -").validate().is_err());
    assert_eq!(
        kind("calendar 1 -").window_at(at("2026-01-01"), &Zone::utc(), at("2026-01-01")),
        Window::default()
    );
    let mut all = seeded();
    all.sort_by_key(WindowType::approx_length_minutes);
    assert_eq!(&*all.first().unwrap().code, "calendar_hour");
    assert_eq!(all.last().unwrap(), WindowType::all_time());
}

#[test]
fn zones_are_iana_names() {
    for name in ["UTC", "utc", "Etc/UTC", "Zulu", "Etc/UCT"] {
        assert_eq!(Zone::parse(name), Some(Zone::utc()), "{name}");
    }
    assert_eq!(zone("europe/berlin").name(), "Europe/Berlin");
    assert_eq!(zone("US/Eastern").name(), "US/Eastern");
    assert_eq!(Zone::utc().name(), "UTC");
    for name in [
        "",
        "Mars/Olympus",
        "+02:00",
        "CET-1CEST",
        "../UTC",
        "Etc/Unknown",
        "local",
    ] {
        assert_eq!(Zone::parse(name), None, "{name}");
    }
}

#[test]
fn saturates_at_the_ends_of_time() {
    let last = Timestamp::MAX.saturating_add_micros(-1);
    for mode in ["calendar", "anniversary", "rolling"] {
        for unit in ["minute", "hour", "day", "week", "month", "year"] {
            for (count, zone_name) in [1, 7, 1000].into_iter().zip(NAMES.iter().cycle()) {
                let kind = kind(&format!("{mode} {count} {unit}"));
                for anchor in [Timestamp::MIN, Timestamp::default(), Timestamp::MAX] {
                    for zone_name in ["UTC", "Asia/Kathmandu", "Pacific/Apia", zone_name] {
                        for now in [Timestamp::MIN, last] {
                            let found = kind.window_at(anchor, &zone(zone_name), now);
                            assert!(found.contains(now), "{kind:?} {zone_name} {found:?}");
                        }
                        let _ = kind.window_at(anchor, &zone(zone_name), Timestamp::MAX);
                    }
                }
                let _ = kind.first_moment_after_leaving(Timestamp::MIN);
                assert_eq!(
                    kind.first_moment_after_leaving(Timestamp::MAX),
                    Timestamp::MAX
                );
            }
        }
    }
}

prop_compose! {
    fn any_kind(modes: &'static [&'static str])(
        mode in prop::sample::select(modes),
        unit in prop::sample::select(&["minute", "hour", "day", "week", "month", "year"][..]),
        count in prop_oneof![Just(1_u32), 1_u32..40, 1_u32..1001],
    ) -> WindowType {
        kind(&format!("{mode} {count} {unit}"))
    }
}

prop_compose! {
    fn any_time()(
        from_old_times in any::<bool>(),
        near_change in any::<bool>(),
        zone_name in prop::sample::select(&NAMES[..]),
        micros in -2_000_000_000_000_000_i64..7_258_118_400_000_000,
        nearness in -2 * DAY..2 * DAY,
    ) -> (Zone, Timestamp) {
        let zone = zone(zone_name);
        let micros = if from_old_times { micros } else { micros.max(0) };
        // Half of the times lie around a change of the zone's clock, where errors would.
        let from = jiff::Timestamp::from_microsecond(micros).unwrap();
        let change = zone.0.as_ref().filter(|_| near_change)
            .and_then(|zone| zone.following(from).next());
        let micros = change.map_or(micros, |change| {
            change.timestamp().as_microsecond() + nearness
        });
        (zone, Timestamp::from_micros(micros))
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn fixed_windows_partition_time(
        kind in any_kind(&["calendar", "anniversary"]),
        (zone, now) in any_time(),
        anchor in 0_i64..7_258_118_400_000_000,
    ) {
        let anchor = Timestamp::from_micros(anchor);
        let found = kind.window_at(anchor, &zone, now);
        let (start, end) = (found.start.unwrap(), found.end.unwrap());
        prop_assert!(found.contains(now), "{found:?}");
        // A boundary that saturated at the bounds of time is none.
        let before = start.saturating_add_micros(-1);
        if before < start {
            prop_assert_eq!(start.floor_minute(), start);
            prop_assert_eq!(kind.window_at(anchor, &zone, start), found);
            prop_assert_eq!(kind.window_at(anchor, &zone, before).end, Some(start));
        }
        if end < Timestamp::MAX {
            prop_assert_eq!(end.floor_minute(), end);
            let last = end.saturating_add_micros(-1);
            prop_assert_eq!(kind.window_at(anchor, &zone, last), found);
            prop_assert_eq!(kind.window_at(anchor, &zone, end).start, Some(end));
        }
    }

    #[test]
    fn civil_windows_begin_at_the_first_instant(
        unit in prop::sample::select(&["day", "week", "month", "year"][..]),
        (zone, now) in any_time(),
    ) {
        let kind = kind(&format!("calendar 1 {unit}"));
        let found = kind.window_at(now, &zone, now);
        for boundary in [found.start.unwrap(), found.end.unwrap()] {
            let tz = zone.0.clone().unwrap_or(TimeZone::UTC);
            let local = |micros| {
                tz.to_datetime(jiff::Timestamp::from_microsecond(micros).unwrap())
            };
            // An offset of odd seconds puts the first instant within the boundary's minute.
            let minute = boundary.as_micros();
            let first = (0..60).map(|second| minute + second * 1_000_000).find(|micros| {
                local(*micros).date() != local(minute - 1).date()
            });
            prop_assert!(first.is_some(), "{boundary} in {zone:?}");
        }
    }

    #[test]
    fn rolling_windows_hold_every_span_of_their_length(
        kind in any_kind(&["rolling"]),
        now in 0_i64..7_258_118_400_000_000,
        later in prop_oneof![0..3 * MINUTE, 0..3 * DAY, 0..400 * DAY],
    ) {
        let now = Timestamp::from_micros(now);
        let window_at = |now| kind.window_at(now, &Zone::utc(), now);
        let found = window_at(now);
        let (start, end) = (found.start.unwrap(), found.end.unwrap());
        prop_assert!(found.contains(now));
        prop_assert_eq!(end, now.floor_minute().saturating_add_micros(MINUTE));
        match kind.step().unwrap() {
            Step::Fixed(length) => {
                prop_assert_eq!(end.micros_since(start), length + MINUTE);
                // A span of the length that ends now begins inside.
                prop_assert!(found.contains(now.saturating_add_micros(-length)));
            }
            Step::Months(count) => {
                let back = jiff::Span::new().months(count);
                let civil = jiff::Timestamp::from_microsecond(now.as_micros()).unwrap();
                let civil = civil.to_zoned_datetime(TimeZone::UTC).checked_sub(back).unwrap();
                let civil = Timestamp::from_micros(civil.timestamp().as_microsecond());
                prop_assert!(found.contains(civil));
                prop_assert!(civil.micros_since(start) < DAY + 2 * MINUTE);
            }
        }
        let later = window_at(now.saturating_add_micros(later));
        prop_assert!(later.start >= found.start && later.end >= found.end);
    }

    #[test]
    fn usage_leaves_at_the_first_moment(
        kind in any_kind(&["rolling"]),
        minute in 0_i64..7_258_118_400_000_000,
        near_month_end in any::<bool>(),
    ) {
        let mut minute = Timestamp::from_micros(minute);
        if near_month_end {
            let month = month_start(month_index(minute.as_micros().div_euclid(DAY))) * DAY;
            let within = minute.as_micros() % (6 * DAY) - 5 * DAY;
            minute = Timestamp::from_micros(month + within);
        }
        let start_at = |now| kind.window_at(now, &Zone::utc(), now).start.unwrap();
        let leaves = kind.first_moment_after_leaving(minute);
        prop_assume!(leaves < Timestamp::MAX);
        prop_assert_eq!(leaves.floor_minute(), leaves);
        prop_assert!(start_at(leaves) > minute);
        prop_assert!(start_at(leaves.saturating_add_micros(-1)) <= minute);
    }
}
