#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;

use super::*;

const ZONES: [&str; 7] = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "Pacific/Apia",
];

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn seed(code: &str) -> WindowType {
    seeded().into_iter().find(|w| &*w.code == code).unwrap()
}

fn expect(code: &str, anchor: &str, zone: &str, reference: &str, start: &str, end: &str) {
    let window = seed(code).window_at(at(anchor), &Zone::parse(zone).unwrap(), at(reference));
    assert_eq!(
        (window.start, window.end),
        (Some(at(start)), Some(at(end))),
        "{code} {zone} {reference}"
    );
}

#[test]
fn calendar_months_fall_in_the_zone() {
    let anchor = "2026-01-01";
    expect(
        "calendar_month",
        anchor,
        "UTC",
        "2028-02-29T23:59:59Z",
        "2028-02-01",
        "2028-03-01",
    );
    expect(
        "calendar_month",
        anchor,
        "Europe/Berlin",
        "2026-03-31T22:30:00Z",
        "2026-03-31T22:00:00Z",
        "2026-04-30T22:00:00Z",
    );
    expect(
        "calendar_year",
        anchor,
        "Asia/Kathmandu",
        "2026-06-01",
        "2025-12-31T18:15:00Z",
        "2026-12-31T18:15:00Z",
    );
}

#[test]
fn days_of_23_and_25_hours() {
    let anchor = "2026-01-01";
    expect(
        "calendar_day",
        anchor,
        "Europe/Berlin",
        "2026-03-29T12:00:00Z",
        "2026-03-28T23:00:00Z",
        "2026-03-29T22:00:00Z",
    );
    expect(
        "calendar_day",
        anchor,
        "Europe/Berlin",
        "2026-10-25T12:00:00Z",
        "2026-10-24T22:00:00Z",
        "2026-10-25T23:00:00Z",
    );
}

#[test]
fn billing_cycles_keep_the_end_of_the_month() {
    let anchor = "2026-01-31T10:20:30Z";
    expect(
        "billing_cycle",
        anchor,
        "UTC",
        "2026-02-01",
        "2026-01-31T10:20:00Z",
        "2026-02-28T10:20:00Z",
    );
    expect(
        "billing_cycle",
        anchor,
        "UTC",
        "2026-02-28T10:20:00Z",
        "2026-02-28T10:20:00Z",
        "2026-03-31T10:20:00Z",
    );
    expect(
        "billing_cycle",
        anchor,
        "UTC",
        "2028-02-29T11:00:00Z",
        "2028-02-29T10:20:00Z",
        "2028-03-31T10:20:00Z",
    );
    expect(
        "billing_cycle",
        anchor,
        "UTC",
        "2025-12-31T10:19:59Z",
        "2025-11-30T10:20:00Z",
        "2025-12-31T10:20:00Z",
    );
}

#[test]
fn yearly_anniversaries_of_a_leap_day() {
    let yearly = row("y", "", WindowMode::Anniversary, Some(PeriodUnit::Year), 1);
    let window = yearly.window_at(at("2024-02-29"), &Zone::utc(), at("2026-02-28"));
    assert_eq!(
        (window.start, window.end),
        (Some(at("2026-02-28")), Some(at("2027-02-28")))
    );
    let window = yearly.window_at(at("2024-02-29"), &Zone::utc(), at("2028-02-28T23:00:00Z"));
    assert_eq!(
        (window.start, window.end),
        (Some(at("2027-02-28")), Some(at("2028-02-29")))
    );
}

#[test]
fn rolling_windows_are_a_minute_longer() {
    expect(
        "rolling_24h",
        "2026-01-01",
        "UTC",
        "2026-05-05T12:00:30Z",
        "2026-05-04T12:00:00Z",
        "2026-05-05T12:01:00Z",
    );
}

#[test]
fn zones_are_iana_names() {
    for bad in [
        "",
        "utc+2",
        "+02:00",
        "Mars/Base",
        "EST5EDT,M3.2.0,M11.1.0",
        "../etc/passwd",
    ] {
        assert!(Zone::parse(bad).is_none(), "{bad}");
    }
}

fn any_type() -> impl Strategy<Value = WindowType> {
    let unit = prop::sample::select(PeriodUnit::ALL.to_vec());
    let mode = prop::sample::select(vec![
        WindowMode::Calendar,
        WindowMode::Anniversary,
        WindowMode::Rolling,
    ]);
    (mode, unit, 1u32..40).prop_map(|(mode, unit, count)| row("x", "", mode, Some(unit), count))
}

/// Whole minutes and moments within them, from 1970 to 2200.
fn any_time() -> impl Strategy<Value = Timestamp> {
    (0i64..7_258_118_400_000_000).prop_map(Timestamp::from_micros)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn now_lies_inside_its_window_and_windows_follow_each_other(
        window_type in any_type(), zone in prop::sample::select(ZONES.to_vec()), anchor in any_time(), now in any_time()
    ) {
        let zone = Zone::parse(zone).unwrap();
        let window = window_type.window_at(anchor, &zone, now);
        let (start, end) = (window.start.unwrap(), window.end.unwrap());
        prop_assert!(start <= now && now < end, "{window_type:?} {window:?} {now}");
        prop_assert_eq!((start.floor_minute(), end.floor_minute()), (start, end));
        if window_type.mode != WindowMode::Rolling {
            prop_assert_eq!(window_type.window_at(anchor, &zone, end).start, Some(end));
            prop_assert_eq!(window_type.window_at(anchor, &zone, start), window);
            prop_assert_eq!(window_type.window_at(anchor, &zone, end.saturating_add_micros(-1)), window);
        }
    }

    #[test]
    fn the_integer_calendar_is_the_library_s(window_type in any_type(), now in any_time()) {
        let london_without_summer_time = Zone(Some(TimeZone::fixed(jiff::tz::offset(0))));
        prop_assert_eq!(
            window_type.window_at(now, &Zone::utc(), now),
            window_type.window_at(now, &london_without_summer_time, now)
        );
    }

    #[test]
    fn usage_leaves_a_rolling_window_at_the_first_moment_told(
        unit in prop::sample::select(PeriodUnit::ALL.to_vec()), count in 1u32..13, bucket in any_time()
    ) {
        let rolling = row("r", "", WindowMode::Rolling, Some(unit), count);
        let bucket = bucket.floor_minute();
        let leaves = rolling.first_moment_after_leaving(bucket);
        let start = |now| rolling.window_at(now, &Zone::utc(), now).start.unwrap();
        prop_assert!(start(leaves) > bucket);
        prop_assert!(start(leaves.saturating_add_micros(-1)) <= bucket);
    }
}
