//! Windows, worked out anew from the civil calendar for every question.

use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use mec_core::Timestamp;

const MINUTE: i64 = Timestamp::MICROS_PER_MINUTE;
const DAY: i64 = Timestamp::MICROS_PER_DAY;

/// `[start, end)`; an open bound is the beginning or the end of time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span {
    pub start: Option<Timestamp>,
    pub end: Option<Timestamp>,
}

pub const ALL_TIME: Span = Span {
    start: None,
    end: None,
};

/// The window types that every installation begins with, the longest last.
pub const TYPES: [&str; 9] = [
    "calendar_hour",
    "calendar_day",
    "rolling_24h",
    "rolling_7d",
    "rolling_30d",
    "calendar_month",
    "billing_cycle",
    "calendar_year",
    "none",
];

/// The length of a rolling window in microseconds; none for windows that do not roll.
pub fn rolling_length(window_type: &str) -> Option<i64> {
    match window_type {
        "rolling_24h" => Some(DAY),
        "rolling_7d" => Some(7 * DAY),
        "rolling_30d" => Some(30 * DAY),
        _ => None,
    }
}

/// The window of a type around a moment.
pub fn window(window_type: &str, anchor: Timestamp, zone: &str, at: Timestamp) -> Span {
    if let Some(length) = rolling_length(window_type) {
        let end = floor(at, MINUTE) + MINUTE;
        return span(end - length - MINUTE, end);
    }
    let civil = instant(at).to_zoned_datetime(TimeZone::get(zone).unwrap());
    let day = civil.date();
    let begins = |date: Date| {
        let midnight = date.to_zoned_datetime(civil.time_zone().clone()).unwrap();
        midnight.timestamp().as_microsecond()
    };
    match window_type {
        "none" => ALL_TIME,
        "calendar_hour" => {
            let into = i64::from(civil.minute()) * MINUTE + at.as_micros().rem_euclid(MINUTE);
            span(at.as_micros() - into, at.as_micros() - into + 60 * MINUTE)
        }
        "calendar_day" => span(begins(day), begins(day.tomorrow().unwrap())),
        "calendar_month" => {
            let first = day.first_of_month();
            span(begins(first), begins(first.checked_add(1.month()).unwrap()))
        }
        "calendar_year" => {
            let first = day.first_of_year();
            span(begins(first), begins(first.checked_add(1.year()).unwrap()))
        }
        "billing_cycle" => billing(anchor, at),
        other => panic!("the model knows no window type {other}"),
    }
}

/// True anniversaries of the anchor in UTC, each counted from the anchor.
fn billing(anchor: Timestamp, at: Timestamp) -> Span {
    let anchor = Timestamp::from_micros(floor(anchor, MINUTE));
    let civil = instant(anchor).to_zoned_datetime(TimeZone::UTC).datetime();
    let nth = |n: i32| {
        let moved = civil.checked_add(n.months()).unwrap();
        moved
            .to_zoned_datetime(TimeZone::UTC)
            .unwrap()
            .timestamp()
            .as_microsecond()
    };
    let mut n = 0;
    while nth(n) > at.as_micros() {
        n -= 1;
    }
    while nth(n + 1) <= at.as_micros() {
        n += 1;
    }
    span(nth(n), nth(n + 1))
}

/// The start of the minute, in microseconds.
pub fn floor(at: Timestamp, step: i64) -> i64 {
    at.as_micros().div_euclid(step) * step
}

fn instant(at: Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_microsecond(at.as_micros()).unwrap()
}

fn span(start: i64, end: i64) -> Span {
    Span {
        start: Some(Timestamp::from_micros(start)),
        end: Some(Timestamp::from_micros(end)),
    }
}
