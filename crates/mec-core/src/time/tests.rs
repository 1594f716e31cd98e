//! Tests of `time`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;

use super::*;

fn canonical(text: &str) -> String {
    Timestamp::parse(text).unwrap().to_canonical()
}

#[test]
fn reads_the_accepted_forms() {
    let expected = "2026-11-24T02:00:34.199364+00:00";
    for text in [
        expected,
        "2026-11-24T02:00:34.199364Z",
        "2026-11-24t02:00:34.199364z",
        "2026-11-24 02:00:34.199364",
        "2026-11-24T02:00:34.199364999999Z",
        "2026-11-24T04:00:34.199364+02:00",
        "2026-11-24T04:00:34.199364+0200",
        "2026-11-24 04:00:34.199364+02",
        "2026-11-23T20:15:34.199364-05:45",
    ] {
        assert_eq!(canonical(text), expected, "{text}");
    }
    assert_eq!(canonical("2026-12-01"), "2026-12-01T00:00:00+00:00");
    assert_eq!(canonical("2026-12-01T10:30"), "2026-12-01T10:30:00+00:00");
    assert_eq!(
        canonical("2026-12-01T10:30:00.5"),
        "2026-12-01T10:30:00.500000+00:00"
    );
    assert_eq!(
        canonical("2016-12-31T23:59:60Z"),
        "2017-01-01T00:00:00+00:00"
    );
    // Cutting goes towards the past before 1970, too.
    assert_eq!(
        canonical("1969-12-31T23:59:59.9999999Z"),
        "1969-12-31T23:59:59.999999+00:00"
    );
    assert_eq!(
        Timestamp::parse("1969-12-31T23:59:59.9999999Z")
            .unwrap()
            .as_micros(),
        -1
    );
}

#[test]
fn refuses_everything_else() {
    for text in [
        "",
        "now",
        "2026",
        "2026-1-1",
        "2026-13-01",
        "2026-02-29",
        "2100-02-29",
        "2026-00-10",
        "2026-01-00",
        "2026-01-01T",
        "2026-01-01T24:00:00Z",
        "2026-01-01T10",
        "+2026-01-01",
        "2026-01-01T10:60:00Z",
        "2026-01-01T10:00:61Z",
        "2026-01-01T10:00:00.Z",
        " 2026-01-01",
        "2026-01-01T10:00:00+24:00",
        "2026-01-01T10:00:00+1",
        "2026-01-01T10:00:00 00:00",
        "2026-01-01Z",
        "2026-01-01T10:00:00Zx",
        "2026-01-01T10:00:00+02:00:00",
        "２026-01-01",
    ] {
        assert_eq!(Timestamp::parse(text), Err(TimeError::NotATime), "{text}");
    }
}

#[test]
fn bounds_hold() {
    assert_eq!(Timestamp::MIN.to_canonical(), "0001-01-01T00:00:00+00:00");
    assert_eq!(
        Timestamp::MAX.to_canonical(),
        "9998-12-31T23:59:59.999999+00:00"
    );
    assert_eq!(
        Timestamp::parse("9998-12-31T23:59:59.9999999Z"),
        Ok(Timestamp::MAX)
    );
    assert_eq!(
        Timestamp::parse("0000-12-31T23:00:00-01:00"),
        Ok(Timestamp::MIN)
    );
    for text in ["9999-01-01", "0000-12-31", "0001-01-01T00:00:00+00:01"] {
        assert_eq!(Timestamp::parse(text), Err(TimeError::OutOfRange), "{text}");
    }
    assert_eq!(Timestamp::from_micros(i64::MAX), Timestamp::MAX);
    assert_eq!(Timestamp::MIN.saturating_add_secs(i64::MIN), Timestamp::MIN);
    assert_eq!(Timestamp::MAX.ceil_minute(), Timestamp::MAX);
    let last_minute = Timestamp::MAX.floor_minute();
    assert_eq!(last_minute.ceil_minute(), last_minute);
}

proptest! {
    #[test]
    fn text_round_trips(micros in Timestamp::MIN.0..=Timestamp::MAX.0, whole in any::<bool>()) {
        let time = Timestamp::from_micros(micros);
        let time = if whole { time.floor_to(Timestamp::MICROS_PER_SECOND) } else { time };
        prop_assert_eq!(Timestamp::parse(&time.to_canonical()), Ok(time));
        let json = serde_json::to_string(&time).unwrap();
        prop_assert_eq!(serde_json::from_str::<Timestamp>(&json).unwrap(), time);
        prop_assert_eq!(json, format!("\"{time}\""));
    }

    #[test]
    fn agrees_with_jiff(micros in Timestamp::MIN.0..=Timestamp::MAX.0) {
        let civil = jiff::Timestamp::from_microsecond(micros).unwrap()
            .to_zoned_datetime(jiff::tz::TimeZone::UTC).date();
        let days = micros.div_euclid(Timestamp::MICROS_PER_DAY);
        let (year, month, day) = civil_from_days(days);
        prop_assert_eq!(
            (year, month, day),
            (i64::from(civil.year()), i64::from(civil.month()), i64::from(civil.day()))
        );
        prop_assert_eq!(days_from_civil(year, month, day), days);
        prop_assert_eq!(days_in_month(year, month), i64::from(civil.days_in_month()));
    }

    #[test]
    fn floors_and_ceils(micros in Timestamp::MIN.0..=Timestamp::MAX.0) {
        let time = Timestamp::from_micros(micros);
        for (floor, step) in [
            (time.floor_minute(), Timestamp::MICROS_PER_MINUTE),
            (time.floor_hour(), Timestamp::MICROS_PER_HOUR),
            (time.floor_day(), Timestamp::MICROS_PER_DAY),
        ] {
            prop_assert_eq!(floor.0.rem_euclid(step), 0);
            prop_assert!((0..step).contains(&time.micros_since(floor)));
        }
        let ahead = time.ceil_minute().micros_since(time);
        prop_assert!((0..Timestamp::MICROS_PER_MINUTE).contains(&ahead));
    }

    #[test]
    fn never_panics(text in "\\PC{0,40}|[0-9TZ:. +-]{0,40}") {
        let _ = Timestamp::parse(&text);
    }
}
