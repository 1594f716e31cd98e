//! Where the windows of a period begin and end, in microseconds.

use jiff::civil::{Date, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};

use super::{DAY, Window};
use crate::time::{Timestamp, civil_from_days, days_from_civil, days_in_month};

/// The length of a period.
pub(super) enum Step {
    /// Microseconds.
    Fixed(i64),
    /// Calendar months.
    Months(i64),
}

pub(super) fn floor(value: i64, step: i64) -> i64 {
    value.div_euclid(step) * step
}

/// Months since the year 0 of a day number.
pub(super) fn month_index(day: i64) -> i64 {
    let (year, month, _) = civil_from_days(day);
    year * 12 + month - 1
}

fn year_and_month(index: i64) -> (i64, i64) {
    (index.div_euclid(12), index.rem_euclid(12) + 1)
}

pub(super) fn month_start(index: i64) -> i64 {
    let (year, month) = year_and_month(index);
    days_from_civil(year, month, 1)
}

pub(super) fn calendar_utc(step: &Step, origin: i64, at: i64) -> Window {
    match step {
        Step::Fixed(length) => {
            let start = origin + floor(at - origin, *length);
            Window::of(start, start + length)
        }
        Step::Months(count) => {
            let first = floor(month_index(at.div_euclid(DAY)), *count);
            Window::of(month_start(first) * DAY, month_start(first + count) * DAY)
        }
    }
}

/// The group of civil days that contains an instant, from first instant to first instant.
pub(super) fn civil_window(zone: &TimeZone, step: &Step, origin: i64, at: i64) -> (i64, i64) {
    let local_day = (at + offset_at(zone, at)).div_euclid(DAY);
    let (length, mut group) = match step {
        Step::Fixed(length) => (
            length / DAY,
            (local_day - origin / DAY).div_euclid(length / DAY),
        ),
        Step::Months(count) => (*count, month_index(local_day).div_euclid(*count)),
    };
    let boundary = |group: i64| match step {
        Step::Fixed(_) => first_instant(zone, origin / DAY + group * length),
        Step::Months(_) => first_instant(zone, month_start(group * length)),
    };
    // The clock has reached its day, so that has begun; but where it goes back over midnight, an
    // instant of the new day shows the old date again, and a day that a zone skips is empty.
    let (mut start, mut end) = (boundary(group), boundary(group + 1));
    while end <= at {
        group += 1;
        (start, end) = (end, boundary(group + 1));
    }
    (start, end)
}

/// The part of the local clock's grid that contains an instant, cut where the offset changes.
pub(super) fn clock_window(zone: &TimeZone, length: i64, at: i64) -> (i64, i64) {
    let offset = offset_at(zone, at);
    let mut start = floor(at + offset, length) - offset;
    let mut end = start + length;
    let Ok(from) = jiff::Timestamp::from_microsecond(start) else {
        return (start, end);
    };
    // Forwards only: jiff 1.0.1 walks back from the zone's rule over changes that never were
    // (America/Ciudad_Juarez in 2022). A change of nothing but the zone's name does not cut.
    let mut before = offset_at(zone, start);
    for change in zone.following(from) {
        let changed = change.timestamp().as_microsecond();
        let after = seconds_to_micros(change.offset().seconds());
        if changed >= end {
            break;
        }
        if after != before && changed > at {
            end = changed;
        } else if after != before {
            start = changed;
        }
        before = after;
    }
    (start, end)
}

fn seconds_to_micros(seconds: i32) -> i64 {
    i64::from(seconds) * Timestamp::MICROS_PER_SECOND
}

/// The zone's offset from UTC in microseconds at an instant.
fn offset_at(zone: &TimeZone, at: i64) -> i64 {
    // Every timestamp is within jiff's range; 0 is never used.
    let at = jiff::Timestamp::from_microsecond(at);
    at.map_or(0, |at| seconds_to_micros(zone.to_offset(at).seconds()))
}

/// The first instant at which a zone's clock has reached a day.
fn first_instant(zone: &TimeZone, day: i64) -> i64 {
    let midnight = day * DAY;
    let (year, month, day) = civil_from_days(day);
    let date = (i16::try_from(year), i8::try_from(month), i8::try_from(day));
    let (Ok(year), Ok(month), Ok(day)) = date else {
        return midnight;
    };
    // Dates out of jiff's range lie far beyond MIN and MAX, where every offset saturates alike.
    let Ok(date) = Date::new(year, month, day) else {
        return midnight;
    };
    match zone
        .to_ambiguous_timestamp(date.to_datetime(Time::midnight()))
        .offset()
    {
        AmbiguousOffset::Unambiguous { offset } => midnight - seconds_to_micros(offset.seconds()),
        AmbiguousOffset::Fold { before, .. } => midnight - seconds_to_micros(before.seconds()),
        AmbiguousOffset::Gap { before, after } => {
            // The clock leaps over midnight, perhaps to later than 00:00: the day begins there.
            let latest = midnight - seconds_to_micros(before.seconds());
            let earlier = midnight - seconds_to_micros(after.seconds());
            let leap = jiff::Timestamp::from_microsecond(earlier)
                .ok()
                .and_then(|earlier| zone.following(earlier).next());
            leap.map_or(latest, |leap| leap.timestamp().as_microsecond().min(latest))
        }
    }
}

/// The period counted from the anchor that contains an instant.
pub(super) fn anniversary(step: &Step, anchor: i64, at: i64) -> Window {
    match step {
        Step::Fixed(length) => {
            let start = anchor + floor(at - anchor, *length);
            Window::of(start, start + length)
        }
        Step::Months(count) => {
            let (year, month, day) = civil_from_days(anchor.div_euclid(DAY));
            let first = year * 12 + month - 1;
            let boundary = |period: i64| {
                let (year, month) = year_and_month(first + period * count);
                let day = day.min(days_in_month(year, month));
                days_from_civil(year, month, day) * DAY + anchor.rem_euclid(DAY)
            };
            let period = (month_index(at.div_euclid(DAY)) - first).div_euclid(*count);
            // Its boundary lies in the instant's month or before, the next one in a later month.
            let start = boundary(period);
            if start <= at {
                Window::of(start, boundary(period + 1))
            } else {
                Window::of(boundary(period - 1), start)
            }
        }
    }
}

/// An instant less a period; see [`WindowType::window_at`] for months.
pub(super) fn rolling_back(step: &Step, end: i64) -> i64 {
    let count = match step {
        Step::Fixed(length) => return end - length,
        Step::Months(count) => count,
    };
    let (year, month, day) = civil_from_days(end.div_euclid(DAY));
    let (to_year, to_month) = year_and_month(year * 12 + month - 1 - count);
    let last = days_in_month(to_year, to_month);
    if days_in_month(year, month) > last && day >= last {
        days_from_civil(to_year, to_month, last) * DAY
    } else {
        days_from_civil(to_year, to_month, day) * DAY + end.rem_euclid(DAY)
    }
}

/// The earliest instant from which [`rolling_back`] leads to `target` or later.
pub(super) fn rolling_forward(step: &Step, target: i64) -> i64 {
    let count = match step {
        Step::Fixed(length) => return target + length,
        Step::Months(count) => count,
    };
    let (year, month, day) = civil_from_days(target.div_euclid(DAY));
    let time = target.rem_euclid(DAY);
    let later = year * 12 + month - 1 + count;
    let (to_year, to_month) = year_and_month(later);
    let (from_days, to_days) = (days_in_month(year, month), days_in_month(to_year, to_month));
    let stands_still = to_days > from_days && day == from_days && time > 0;
    if stands_still || day > to_days {
        month_start(later + 1) * DAY
    } else {
        days_from_civil(to_year, to_month, day) * DAY + time
    }
}
