//! Windows: the spans of time in which usage is counted against a limit.
//!
//! A window is `[start, end)` on whole minutes. Boundaries beyond [`Timestamp::MIN`] and
//! [`Timestamp::MAX`] saturate; up to the last microsecond before `MAX` the reference time always
//! lies inside its window.

use std::sync::{Arc, LazyLock};

use jiff::tz::{TimeZone, TimeZoneDatabase};
use serde::{Deserialize, Serialize};

use self::bounds::{
    Step, anniversary, calendar_utc, civil_window, clock_window, floor, rolling_back,
    rolling_forward,
};
use crate::time::Timestamp;

mod bounds;

const MINUTE: i64 = Timestamp::MICROS_PER_MINUTE;
const DAY: i64 = Timestamp::MICROS_PER_DAY;
/// The day number of the first Monday since 1970-01-01, from which weeks are counted.
const FIRST_MONDAY: i64 = 4;
/// The most units that make up one period.
pub const MAX_COUNT: u32 = 1_000;
/// The longest rolling window, in minutes: 366 days.
const MAX_ROLLING_MINUTES: u64 = 366 * 24 * 60;

/// How the windows of a type follow each other.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WindowMode {
    /// Civil periods in the account's time zone.
    Calendar,
    /// Periods counted from an anchor, in UTC.
    Anniversary,
    /// The last period before now.
    Rolling,
    /// All time.
    None,
}

impl WindowMode {
    /// All modes.
    pub const ALL: [Self; 4] = [Self::Calendar, Self::Anniversary, Self::Rolling, Self::None];

    /// Reads the mode's name as stored; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == text)
    }

    /// The mode's name as stored: `calendar`, `anniversary`, `rolling` or `none`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Calendar => "calendar",
            Self::Anniversary => "anniversary",
            Self::Rolling => "rolling",
            Self::None => "none",
        }
    }
}

/// What a period is counted in.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeriodUnit {
    /// 60 seconds.
    Minute,
    /// 60 minutes.
    Hour,
    /// A civil day; 24 hours in anniversary and rolling windows.
    Day,
    /// Seven days; calendar weeks begin on Monday.
    Week,
    /// A month of the Gregorian calendar.
    Month,
    /// A year of the Gregorian calendar.
    Year,
}

impl PeriodUnit {
    /// All units, the shortest first.
    pub const ALL: [Self; 6] = [
        Self::Minute,
        Self::Hour,
        Self::Day,
        Self::Week,
        Self::Month,
        Self::Year,
    ];

    /// Reads the unit's name as stored; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|unit| unit.as_str() == text)
    }

    /// The unit's name as stored: `minute`, `hour`, `day`, `week`, `month` or `year`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Year => "year",
        }
    }
}

/// A time zone of the IANA database that is built into the program, so that every node of one
/// release cuts time alike and nothing is read from the machine.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Zone(Option<TimeZone>);

static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

impl Zone {
    /// The zone of an IANA name (letter case does not matter); `None` for any other text.
    pub fn parse(name: &str) -> Option<Self> {
        if name == "UTC" {
            return Some(Self::utc());
        }
        let zone = ZONES.get(name).ok().filter(|zone| !zone.is_unknown())?;
        let is_utc = matches!(zone.primary_iana_name(), Some("UTC" | "Etc/UTC"));
        Some(if is_utc {
            Self::utc()
        } else {
            Self(Some(zone))
        })
    }

    /// Coordinated universal time.
    pub const fn utc() -> Self {
        Self(None)
    }

    /// The zone's name in the IANA database's spelling.
    pub fn name(&self) -> &str {
        self.0
            .as_ref()
            .and_then(TimeZone::iana_name)
            .unwrap_or("UTC")
    }
}

/// A span of time, `[start, end)`; a missing side is unbounded.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, Hash, Serialize, Deserialize)]
pub struct Window {
    /// The first moment inside.
    pub start: Option<Timestamp>,
    /// The first moment after.
    pub end: Option<Timestamp>,
}

impl Window {
    /// Whether a time lies inside.
    pub fn contains(&self, at: Timestamp) -> bool {
        self.start.is_none_or(|start| start <= at) && self.end.is_none_or(|end| at < end)
    }

    fn of(start: i64, end: i64) -> Self {
        let at = |micros| Some(Timestamp::from_micros(micros));
        Self {
            start: at(start),
            end: at(end),
        }
    }
}

/// A kind of window: a mode and the length of its periods.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct WindowType {
    /// Its name, unique among window types.
    pub code: Arc<str>,
    /// What it means, for people.
    pub description: String,
    /// How its windows follow each other.
    pub mode: WindowMode,
    /// What its period is counted in; none for mode none only.
    pub period_unit: Option<PeriodUnit>,
    /// Of how many units a period consists, 1..=1000.
    pub period_count: u32,
}

impl WindowType {
    /// The type `none`: all time is one window.
    pub fn all_time() -> &'static Self {
        static ALL_TIME: LazyLock<WindowType> =
            LazyLock::new(|| seed("none", "All time", WindowMode::None, None, 1));
        &ALL_TIME
    }

    /// Checks a window type that is to be stored.
    ///
    /// # Errors
    /// The reason, in words for people: the unit is missing, the count is not 1..=1000, or a
    /// rolling window is longer than 366 days (12 months, 1 year).
    pub fn validate(&self) -> Result<(), &'static str> {
        if self.mode == WindowMode::None {
            return Ok(());
        }
        if self.period_unit.is_none() {
            return Err("a window type needs a period_unit");
        }
        if !(1..=MAX_COUNT).contains(&self.period_count) {
            return Err("period_count is 1 to 1000");
        }
        let is_rolling = self.mode == WindowMode::Rolling;
        if is_rolling && self.approx_length_minutes() > MAX_ROLLING_MINUTES {
            return Err("a rolling window is at most 366 days long");
        }
        Ok(())
    }

    /// The window that contains `reference`.
    ///
    /// `anchor` counts for anniversary windows and `zone` for calendar windows only. Where a day
    /// has no midnight it begins with its first instant; minute and hour windows also end where
    /// the zone's offset changes. A rolling window of months has its start moved back to the
    /// beginning of the earlier month's last day while that month lacks the day, or will within
    /// the later month, so that the start never runs backwards.
    pub fn window_at(&self, anchor: Timestamp, zone: &Zone, reference: Timestamp) -> Window {
        let Some(step) = self.step() else {
            return Window::default();
        };
        match self.mode {
            WindowMode::None => Window::default(),
            WindowMode::Calendar => match &zone.0 {
                None => calendar_utc(&step, self.origin(), reference.as_micros()),
                Some(zone) => self.calendar_in(zone, &step, reference),
            },
            WindowMode::Anniversary => anniversary(
                &step,
                anchor.floor_minute().as_micros(),
                reference.as_micros(),
            ),
            WindowMode::Rolling => {
                let end = reference.floor_minute().as_micros() + MINUTE;
                Window::of(rolling_back(&step, end) - MINUTE, end)
            }
        }
    }

    /// A rough length in minutes to order types by (a month is 43,830, a year 525,960);
    /// `u64::MAX` for all time.
    pub fn approx_length_minutes(&self) -> u64 {
        let unit = match self.period_unit {
            Some(unit) if self.mode != WindowMode::None => unit,
            _ => return u64::MAX,
        };
        let minutes = match unit {
            PeriodUnit::Minute => 1,
            PeriodUnit::Hour => 60,
            PeriodUnit::Day => 1_440,
            PeriodUnit::Week => 10_080,
            PeriodUnit::Month => 43_830,
            PeriodUnit::Year => 525_960,
        };
        minutes * u64::from(self.period_count)
    }

    /// The smallest whole minute at which the rolling window begins after `bucket_minute`, so
    /// that usage recorded in that minute no longer counts; [`Timestamp::MAX`] when it never
    /// leaves, and for other modes.
    pub fn first_moment_after_leaving(&self, bucket_minute: Timestamp) -> Timestamp {
        match self.step() {
            Some(step) if self.mode == WindowMode::Rolling => {
                // The start lies a minute before the subtracted end and must be a later minute.
                let target = bucket_minute.floor_minute().as_micros() + 2 * MINUTE;
                Timestamp::from_micros(rolling_forward(&step, target) - MINUTE)
            }
            _ => Timestamp::MAX,
        }
    }

    fn step(&self) -> Option<Step> {
        // The clamp keeps a row that escaped validation from overflowing anything.
        let count = i64::from(self.period_count.clamp(1, MAX_COUNT));
        Some(match self.period_unit? {
            PeriodUnit::Minute => Step::Fixed(count * MINUTE),
            PeriodUnit::Hour => Step::Fixed(count * Timestamp::MICROS_PER_HOUR),
            PeriodUnit::Day => Step::Fixed(count * DAY),
            PeriodUnit::Week => Step::Fixed(count * 7 * DAY),
            PeriodUnit::Month => Step::Months(count),
            PeriodUnit::Year => Step::Months(count * 12),
        })
    }

    /// Where the grid of calendar windows of fixed length begins, as local microseconds.
    fn origin(&self) -> i64 {
        if self.period_unit == Some(PeriodUnit::Week) {
            FIRST_MONDAY * DAY
        } else {
            0
        }
    }

    fn calendar_in(&self, zone: &TimeZone, step: &Step, reference: Timestamp) -> Window {
        // Old local times had offsets of odd seconds. The last instant of the minute stands for
        // all of it, so that boundaries cut down to the minute keep windows contiguous.
        let at = reference.floor_minute().as_micros() + MINUTE - 1;
        let by_clock = matches!(
            self.period_unit,
            Some(PeriodUnit::Minute | PeriodUnit::Hour)
        );
        let (start, end) = match step {
            Step::Fixed(length) if by_clock => clock_window(zone, *length, at),
            _ => civil_window(zone, step, self.origin(), at),
        };
        Window::of(floor(start, MINUTE), floor(end, MINUTE))
    }
}

fn seed(
    code: &str,
    description: &str,
    mode: WindowMode,
    period_unit: Option<PeriodUnit>,
    period_count: u32,
) -> WindowType {
    WindowType {
        code: code.into(),
        description: description.to_owned(),
        mode,
        period_unit,
        period_count,
    }
}

/// The window types that every database starts with.
pub fn seeded() -> Vec<WindowType> {
    use PeriodUnit::{Day, Hour, Month, Year};
    use WindowMode::{Anniversary, Calendar, Rolling};
    vec![
        seed("calendar_month", "Calendar month", Calendar, Some(Month), 1),
        seed(
            "billing_cycle",
            "Month counted from the anchor",
            Anniversary,
            Some(Month),
            1,
        ),
        seed("rolling_30d", "The last 30 days", Rolling, Some(Day), 30),
        seed("rolling_7d", "The last 7 days", Rolling, Some(Day), 7),
        WindowType::all_time().clone(),
        seed("calendar_day", "Calendar day", Calendar, Some(Day), 1),
        seed("calendar_hour", "Calendar hour", Calendar, Some(Hour), 1),
        seed("calendar_year", "Calendar year", Calendar, Some(Year), 1),
        seed("rolling_24h", "The last 24 hours", Rolling, Some(Hour), 24),
    ]
}

#[cfg(test)]
mod tests;

/// The first moment of a moment's month, in UTC.
pub fn month_start(at: Timestamp) -> Timestamp {
    let (year, month, _) =
        crate::time::civil_from_days(at.as_micros().div_euclid(Timestamp::MICROS_PER_DAY));
    let day = crate::time::days_from_civil(year, month, 1);
    Timestamp::from_micros(day.saturating_mul(Timestamp::MICROS_PER_DAY))
}
