//! Windows: in which span of time a limit counts. Half-open, on whole minutes.

mod civil;
#[cfg(test)]
mod tests;

use std::sync::{Arc, LazyLock};

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::time::Timestamp;
use civil::Civil;

/// How a window type's windows follow each other.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WindowMode {
    /// On the boundaries of the calendar, in the account's zone.
    Calendar,
    /// On the anniversaries of an anchor, in UTC.
    Anniversary,
    /// Ends with the present minute.
    Rolling,
    /// All time.
    None,
}

impl WindowMode {
    /// The mode as the contract writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Calendar => "calendar",
            Self::Anniversary => "anniversary",
            Self::Rolling => "rolling",
            Self::None => "none",
        }
    }

    /// Reads a mode.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Calendar, Self::Anniversary, Self::Rolling, Self::None]
            .into_iter()
            .find(|mode| mode.as_str() == text)
    }
}

/// What a window's length is counted in.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PeriodUnit {
    /// 60 seconds.
    Minute,
    /// 60 minutes.
    Hour,
    /// A day of the calendar.
    Day,
    /// Seven days, from Monday.
    Week,
    /// A month of the calendar.
    Month,
    /// A year of the calendar.
    Year,
}

impl PeriodUnit {
    const ALL: [Self; 6] = [
        Self::Minute,
        Self::Hour,
        Self::Day,
        Self::Week,
        Self::Month,
        Self::Year,
    ];

    /// The unit as the contract writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Year => "year",
        }
    }

    /// Reads a unit.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|unit| unit.as_str() == text)
    }

    /// Its length in microseconds where that is always the same, in UTC.
    fn fixed_micros(self) -> Option<i64> {
        match self {
            Self::Minute => Some(Timestamp::MICROS_PER_MINUTE),
            Self::Hour => Some(Timestamp::MICROS_PER_HOUR),
            Self::Day => Some(Timestamp::MICROS_PER_DAY),
            Self::Week => Some(7 * Timestamp::MICROS_PER_DAY),
            Self::Month | Self::Year => None,
        }
    }

    fn months(self) -> i64 {
        if self == Self::Year { 12 } else { 1 }
    }

    fn approx_minutes(self) -> u64 {
        match self {
            Self::Minute => 1,
            Self::Hour => 60,
            Self::Day => 1_440,
            Self::Week => 10_080,
            Self::Month => 43_830,
            Self::Year => 525_960,
        }
    }
}

/// A row of `window_types`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WindowType {
    /// Its name.
    pub code: Arc<str>,
    /// What it is.
    pub description: String,
    /// How its windows follow each other.
    pub mode: WindowMode,
    /// What its length is counted in; none for the mode none.
    pub period_unit: Option<PeriodUnit>,
    /// How many of the unit, 1 to 1000.
    pub period_count: u32,
}

/// The zone in which calendar windows fall.
#[derive(Clone, Debug)]
pub struct Zone(Option<TimeZone>);

impl Zone {
    /// Reads an IANA zone name.
    pub fn parse(name: &str) -> Option<Self> {
        if matches!(name, "UTC" | "Etc/UTC") {
            return Some(Self::utc());
        }
        let plausible =
            name.len() <= 64 && name.bytes().next().is_some_and(|b| b.is_ascii_uppercase());
        if !plausible {
            return None;
        }
        TimeZone::get(name)
            .ok()
            .filter(|zone| zone.iana_name().is_some())
            .map(|zone| Self(Some(zone)))
    }

    /// UTC.
    pub fn utc() -> Self {
        Self(None)
    }

    /// The offset from UTC in force at a moment, in microseconds.
    fn offset_micros(&self, at: Timestamp) -> i64 {
        let Some((zone, at)) = self
            .0
            .as_ref()
            .zip(jiff::Timestamp::from_microsecond(at.as_micros()).ok())
        else {
            return 0;
        };
        i64::from(zone.to_offset(at).seconds()) * Timestamp::MICROS_PER_SECOND
    }

    /// The first moment of a day, counted from 1970-01-01, in microseconds.
    fn start_of_day(&self, day: i64) -> i64 {
        let utc = day.saturating_mul(Timestamp::MICROS_PER_DAY);
        let Some(zone) = &self.0 else { return utc };
        let civil = Civil::from_days(day);
        let date = i16::try_from(civil.year)
            .ok()
            .zip(
                i8::try_from(civil.month)
                    .ok()
                    .zip(i8::try_from(civil.day).ok()),
            )
            .and_then(|(year, (month, day))| jiff::civil::Date::new(year, month, day).ok());
        // In a gap the compatible choice is the first moment after it.
        date.and_then(|date| {
            zone.to_ambiguous_timestamp(date.at(0, 0, 0, 0))
                .compatible()
                .ok()
        })
        .map_or(utc, |start| start.as_microsecond())
    }

    /// The zone's transitions around a moment: the last at or before it, and the next.
    fn transitions(&self, at: Timestamp) -> (Option<i64>, Option<i64>) {
        let Some((zone, at)) = self
            .0
            .as_ref()
            .zip(jiff::Timestamp::from_microsecond(at.as_micros()).ok())
        else {
            return (None, None);
        };
        let just_after = jiff::Timestamp::from_microsecond(at.as_microsecond() + 1).unwrap_or(at);
        let before = zone
            .preceding(just_after)
            .next()
            .map(|t| t.timestamp().as_microsecond());
        let after = zone
            .following(at)
            .next()
            .map(|t| t.timestamp().as_microsecond());
        (before, after)
    }
}

/// A span of time, half-open; none is unbounded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Window {
    /// The first moment that belongs to it.
    pub start: Option<Timestamp>,
    /// The first moment that does not any more.
    pub end: Option<Timestamp>,
}

impl Window {
    fn bounded(start: i64, end: i64) -> Self {
        Self {
            start: Some(clamp(start)),
            end: Some(clamp(end)),
        }
    }
}

impl WindowType {
    /// The window of all time.
    pub fn all_time() -> &'static Self {
        static ALL_TIME: LazyLock<WindowType> =
            LazyLock::new(|| row("none", "All time", WindowMode::None, None, 1));
        &ALL_TIME
    }

    /// Refuses what no window type may be.
    pub fn validate(&self) -> Result<(), &'static str> {
        if !(1..=1000).contains(&self.period_count) {
            return Err("period_count is 1 to 1000");
        }
        if self.period_unit.is_none() != (self.mode == WindowMode::None) {
            return Err("every mode but none has a period_unit");
        }
        if self.mode == WindowMode::Rolling && self.approx_length_minutes() > 366 * 1_440 {
            return Err("a rolling window is at most 366 days long");
        }
        Ok(())
    }

    /// The window around a moment. The anchor is used by anniversary windows, the zone by calendar windows.
    pub fn window_at(&self, anchor: Timestamp, zone: &Zone, reference: Timestamp) -> Window {
        let Some(unit) = self.period_unit else {
            return Window {
                start: None,
                end: None,
            };
        };
        let count = i64::from(self.period_count.max(1));
        match self.mode {
            WindowMode::None => Window {
                start: None,
                end: None,
            },
            WindowMode::Rolling => {
                let end = reference.floor_minute().as_micros() + Timestamp::MICROS_PER_MINUTE;
                Window::bounded(rolling_start(unit, count, end), end)
            }
            WindowMode::Anniversary => anniversary(
                unit,
                count,
                anchor.floor_minute().as_micros(),
                reference.as_micros(),
            ),
            WindowMode::Calendar => match unit {
                PeriodUnit::Minute | PeriodUnit::Hour => {
                    calendar_clock(unit, count, zone, reference)
                }
                _ => calendar_days(unit, count, zone, reference),
            },
        }
    }

    /// How long a window is, in minutes, for telling which of two is longer.
    pub fn approx_length_minutes(&self) -> u64 {
        self.period_unit.map_or(u64::MAX, |unit| {
            unit.approx_minutes()
                .saturating_mul(u64::from(self.period_count))
        })
    }

    /// Of a rolling window: the first whole minute at which usage of a minute is counted no more.
    pub fn first_moment_after_leaving(&self, bucket_minute: Timestamp) -> Timestamp {
        let Some(unit) = self
            .period_unit
            .filter(|_| self.mode == WindowMode::Rolling)
        else {
            return Timestamp::MAX;
        };
        let count = i64::from(self.period_count.max(1));
        let minute = Timestamp::MICROS_PER_MINUTE;
        let bucket = bucket_minute.floor_minute().as_micros();
        if let Some(length) = unit.fixed_micros() {
            return clamp(
                bucket
                    .saturating_add(minute)
                    .saturating_add(length.saturating_mul(count)),
            );
        }
        // The start of a rolling window of months never moves back, so the moment can be searched for.
        let leaves =
            |minutes: i64| rolling_start(unit, count, bucket + (minutes + 1) * minute) > bucket;
        let (mut low, mut high) = (
            0,
            i64::try_from(self.approx_length_minutes()).unwrap_or(i64::MAX / 4) + 10 * 1_440,
        );
        while low < high {
            let middle = low + (high - low) / 2;
            if leaves(middle) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        clamp(bucket.saturating_add(low.saturating_mul(minute)))
    }
}

/// The first moment of a moment's month, in UTC.
pub fn month_start(at: Timestamp) -> Timestamp {
    let first = civil::first_of_month(civil::month_of(at.as_micros()));
    clamp(first.saturating_mul(Timestamp::MICROS_PER_DAY))
}

fn clamp(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros.clamp(Timestamp::MIN.as_micros(), Timestamp::MAX.as_micros()))
}

/// One minute longer than the period, so that no true span of the period is ever over the limit.
fn rolling_start(unit: PeriodUnit, count: i64, end: i64) -> i64 {
    let start = match unit.fixed_micros() {
        Some(length) => end.saturating_sub(length.saturating_mul(count)),
        None => civil::add_months(end, count.saturating_mul(unit.months()).saturating_neg()),
    };
    start.saturating_sub(Timestamp::MICROS_PER_MINUTE)
}

fn anniversary(unit: PeriodUnit, count: i64, anchor: i64, reference: i64) -> Window {
    if let Some(length) = unit.fixed_micros() {
        let length = length.saturating_mul(count);
        let start = anchor.saturating_add(
            (reference.saturating_sub(anchor))
                .div_euclid(length)
                .saturating_mul(length),
        );
        return Window::bounded(start, start.saturating_add(length));
    }
    let months = count.saturating_mul(unit.months());
    let boundary = |k: i64| civil::add_months(anchor, k.saturating_mul(months));
    let mut k = (civil::month_of(reference) - civil::month_of(anchor)).div_euclid(months);
    // The estimate is by whole months; the day within the month moves it by one at the most.
    if boundary(k) > reference {
        k -= 1;
    } else if boundary(k + 1) <= reference {
        k += 1;
    }
    Window::bounded(boundary(k), boundary(k + 1))
}

fn calendar_days(unit: PeriodUnit, count: i64, zone: &Zone, reference: Timestamp) -> Window {
    let local = reference
        .as_micros()
        .saturating_add(zone.offset_micros(reference));
    let mut day = local.div_euclid(Timestamp::MICROS_PER_DAY);
    loop {
        let (first, next) = span_of_days(unit, count, day);
        let (start, end) = (
            floor_minute(zone.start_of_day(first)),
            floor_minute(zone.start_of_day(next)),
        );
        // Where a zone sets its clock back over midnight, or was offset by seconds, the day that the
        // clock shows may be over already.
        if reference.as_micros() < end || end >= Timestamp::MAX.as_micros() {
            return Window::bounded(start, end);
        }
        day = next;
    }
}

/// The first day of the period that holds a day, and that of the next period, from 1970-01-01.
fn span_of_days(unit: PeriodUnit, count: i64, day: i64) -> (i64, i64) {
    // 1970-01-05 was a Monday.
    const MONDAY: i64 = 4;
    match unit {
        PeriodUnit::Week => {
            let length = 7 * count;
            let first = (day - MONDAY).div_euclid(length) * length + MONDAY;
            (first, first + length)
        }
        PeriodUnit::Month | PeriodUnit::Year => {
            let length = count * unit.months();
            let civil = Civil::from_days(day);
            let first = (civil.year * 12 + civil.month - 1).div_euclid(length) * length;
            (
                civil::first_of_month(first),
                civil::first_of_month(first + length),
            )
        }
        _ => {
            let first = day.div_euclid(count) * count;
            (first, first + count)
        }
    }
}

fn calendar_clock(unit: PeriodUnit, count: i64, zone: &Zone, reference: Timestamp) -> Window {
    let length = unit
        .fixed_micros()
        .unwrap_or(Timestamp::MICROS_PER_HOUR)
        .saturating_mul(count);
    let offset = zone.offset_micros(reference);
    let local = reference.as_micros().saturating_add(offset);
    let start = local.div_euclid(length) * length - offset;
    let (before, after) = zone.transitions(reference);
    let start = before.map_or(start, |before| start.max(before));
    let end = (local.div_euclid(length) + 1) * length - offset;
    let end = after.map_or(end, |after| end.min(after));
    // Offsets with seconds are cut to the minute at both ends, so that windows still follow each other.
    let (start, end) = (floor_minute(start), floor_minute(end));
    if reference.as_micros() < end {
        return Window::bounded(start, end);
    }
    Window::bounded(end, end.saturating_add(Timestamp::MICROS_PER_MINUTE))
}

fn floor_minute(micros: i64) -> i64 {
    micros.div_euclid(Timestamp::MICROS_PER_MINUTE) * Timestamp::MICROS_PER_MINUTE
}

fn row(
    code: &str,
    description: &str,
    mode: WindowMode,
    unit: Option<PeriodUnit>,
    count: u32,
) -> WindowType {
    WindowType {
        code: code.into(),
        description: description.into(),
        mode,
        period_unit: unit,
        period_count: count,
    }
}

/// The window types of a new installation.
pub fn seeded() -> Vec<WindowType> {
    use PeriodUnit::{Day, Hour, Month, Year};
    use WindowMode::{Anniversary, Calendar, Rolling};
    vec![
        row(
            "calendar_month",
            "A month of the calendar",
            Calendar,
            Some(Month),
            1,
        ),
        row(
            "billing_cycle",
            "A month from the anchor",
            Anniversary,
            Some(Month),
            1,
        ),
        row("rolling_30d", "The last 30 days", Rolling, Some(Day), 30),
        row("rolling_7d", "The last 7 days", Rolling, Some(Day), 7),
        WindowType::all_time().clone(),
        row(
            "calendar_day",
            "A day of the calendar",
            Calendar,
            Some(Day),
            1,
        ),
        row(
            "calendar_hour",
            "An hour of the calendar",
            Calendar,
            Some(Hour),
            1,
        ),
        row(
            "calendar_year",
            "A year of the calendar",
            Calendar,
            Some(Year),
            1,
        ),
        row("rolling_24h", "The last 24 hours", Rolling, Some(Hour), 24),
    ]
}
