//! Points in time: whole microseconds since 1970 in UTC, and the calendar arithmetic under them.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A point in time as whole microseconds since 1970-01-01T00:00:00Z.
///
/// Every value lies in [`Timestamp::MIN`]..=[`Timestamp::MAX`]: construction and arithmetic
/// saturate at these bounds, so that no later step can overflow or fail to be written.
#[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Debug, Default)]
pub struct Timestamp(i64);

/// Why a text is not a [`Timestamp`].
#[derive(Copy, Clone, Eq, PartialEq, Debug, thiserror::Error)]
pub enum TimeError {
    /// The text is not an RFC 3339 / ISO 8601 date or date-time of the accepted forms.
    #[error("not a date-time (expected one like 2026-11-24T02:00:34.199364+00:00)")]
    NotATime,
    /// The time lies before [`Timestamp::MIN`] or after [`Timestamp::MAX`].
    #[error("date-time outside the years 0001 to 9998")]
    OutOfRange,
}

impl Timestamp {
    /// Microseconds in a second.
    pub const MICROS_PER_SECOND: i64 = 1_000_000;
    /// Microseconds in a minute.
    pub const MICROS_PER_MINUTE: i64 = 60 * Self::MICROS_PER_SECOND;
    /// Microseconds in an hour.
    pub const MICROS_PER_HOUR: i64 = 60 * Self::MICROS_PER_MINUTE;
    /// Microseconds in a day of 24 hours.
    pub const MICROS_PER_DAY: i64 = 24 * Self::MICROS_PER_HOUR;
    /// 0001-01-01T00:00:00Z, the earliest time.
    pub const MIN: Self = Self(-62_135_596_800 * Self::MICROS_PER_SECOND);
    /// 9998-12-31T23:59:59.999999Z, the latest time.
    pub const MAX: Self = Self(253_370_764_800 * Self::MICROS_PER_SECOND - 1);

    /// The time `micros` microseconds after 1970-01-01T00:00:00Z, saturating at
    /// [`Timestamp::MIN`] and [`Timestamp::MAX`].
    pub const fn from_micros(micros: i64) -> Self {
        if micros < Self::MIN.0 {
            Self::MIN
        } else if micros > Self::MAX.0 {
            Self::MAX
        } else {
            Self(micros)
        }
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Reads an RFC 3339 / ISO 8601 date-time: `2026-11-24T02:00:34.199364+02:00`.
    ///
    /// `T` may be a space, seconds may be missing, the offset may be `Z`, `+02:00`, `+0200` or
    /// `+02`; a missing offset means UTC and a bare date midnight UTC. Digits beyond the
    /// microsecond are cut, and a leap second (`:60`) is the first second of the next minute.
    ///
    /// # Errors
    /// [`TimeError::NotATime`] for any other text, [`TimeError::OutOfRange`] for a time outside
    /// [`Timestamp::MIN`]..=[`Timestamp::MAX`].
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        let micros = parse_micros(text.as_bytes()).ok_or(TimeError::NotATime)?;
        let time = Self::from_micros(micros);
        if time.0 == micros {
            Ok(time)
        } else {
            Err(TimeError::OutOfRange)
        }
    }

    /// The start of this minute (UTC).
    pub const fn floor_minute(self) -> Self {
        self.floor_to(Self::MICROS_PER_MINUTE)
    }

    /// The first whole minute at or after this time, saturating at [`Timestamp::MAX`].
    pub const fn ceil_minute(self) -> Self {
        let floor = self.floor_minute();
        if floor.0 == self.0 {
            self
        } else {
            floor.saturating_add_micros(Self::MICROS_PER_MINUTE)
        }
    }

    /// The start of this hour (UTC).
    pub const fn floor_hour(self) -> Self {
        self.floor_to(Self::MICROS_PER_HOUR)
    }

    /// The start of this day (UTC).
    pub const fn floor_day(self) -> Self {
        self.floor_to(Self::MICROS_PER_DAY)
    }

    /// This time and `micros` microseconds (may be negative), saturating at the bounds.
    pub const fn saturating_add_micros(self, micros: i64) -> Self {
        Self::from_micros(self.0.saturating_add(micros))
    }

    /// This time and `secs` seconds (may be negative), saturating at the bounds.
    pub const fn saturating_add_secs(self, secs: i64) -> Self {
        self.saturating_add_micros(secs.saturating_mul(Self::MICROS_PER_SECOND))
    }

    /// Microseconds from `other` to this time; negative when `other` is later.
    pub const fn micros_since(self, other: Self) -> i64 {
        self.0.saturating_sub(other.0)
    }

    /// The canonical text, the same as `Display`: `2026-11-24T02:00:34.199364+00:00`, without
    /// the fraction when it is zero and with exactly six digits otherwise.
    pub fn to_canonical(self) -> String {
        self.with_text(str::to_owned)
    }

    const fn floor_to(self, step: i64) -> Self {
        // MIN is a whole day and a floor only goes down to a whole step, so this stays in range.
        Self(self.0.div_euclid(step) * step)
    }

    fn with_text<R>(self, use_text: impl FnOnce(&str) -> R) -> R {
        let (year, month, day) = civil_from_days(self.0.div_euclid(Self::MICROS_PER_DAY));
        let in_day = self.0.rem_euclid(Self::MICROS_PER_DAY);
        let (seconds, fraction) = (
            in_day / Self::MICROS_PER_SECOND,
            in_day % Self::MICROS_PER_SECOND,
        );
        let digit = |value: i64, unit: i64| b'0' + (value / unit % 10) as u8;
        let two = |value: i64| (digit(value, 10), digit(value, 1));
        let (y1, y2) = two(year / 100);
        let (y3, y4) = two(year % 100);
        let (mo1, mo2) = two(month);
        let (d1, d2) = two(day);
        let (h1, h2) = two(seconds / 3600);
        let (mi1, mi2) = two(seconds / 60 % 60);
        let (s1, s2) = two(seconds % 60);
        let (f1, f2) = two(fraction / 10_000);
        let (f3, f4) = two(fraction / 100 % 100);
        let (f5, f6) = two(fraction % 100);
        let long = [
            y1, y2, y3, y4, b'-', mo1, mo2, b'-', d1, d2, b'T', h1, h2, b':', mi1, mi2, b':', s1,
            s2, b'.', f1, f2, f3, f4, f5, f6, b'+', b'0', b'0', b':', b'0', b'0',
        ];
        let short = [
            y1, y2, y3, y4, b'-', mo1, mo2, b'-', d1, d2, b'T', h1, h2, b':', mi1, mi2, b':', s1,
            s2, b'+', b'0', b'0', b':', b'0', b'0',
        ];
        let bytes: &[u8] = if fraction == 0 { &short } else { &long };
        // Every byte is ASCII, so the fallback is never taken.
        use_text(std::str::from_utf8(bytes).unwrap_or_default())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with_text(|text| f.pad(text))
    }
}

impl std::str::FromStr for Timestamp {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        Self::parse(text)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.with_text(|text| serializer.serialize_str(text))
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl de::Visitor<'_> for TextVisitor {
            type Value = Timestamp;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a date-time in RFC 3339 form")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Timestamp, E> {
                Timestamp::parse(text).map_err(E::custom)
            }
        }
        deserializer.deserialize_str(TextVisitor)
    }
}

/// The day number (days since 1970-01-01) of a date of the proleptic Gregorian calendar.
/// `month` is 1..=12; `day` may run past the month's end and then counts on into the next.
pub(crate) const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    // Years begin in March here, so that the leap day is the last of its year (H. Hinnant).
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Year, month (1..=12) and day (1..=31) of a day number (days since 1970-01-01).
pub(crate) const fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 {
        march_month + 3
    } else {
        march_month - 9
    };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

/// The number of days (28..=31) of a month (1..=12).
pub(crate) const fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year.rem_euclid(4) == 0
            && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0) =>
        {
            29
        }
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn parse_micros(text: &[u8]) -> Option<i64> {
    // The longest useful text is far shorter; the bound keeps hostile input cheap.
    if text.len() > 64 {
        return None;
    }
    let (year, text) = number(text, 4)?;
    let (month, text) = number(text.strip_prefix(b"-")?, 2)?;
    let (day, text) = number(text.strip_prefix(b"-")?, 2)?;
    if !(1..=12).contains(&month) || !(1..=days_in_month(year, month)).contains(&day) {
        return None;
    }
    let midnight = days_from_civil(year, month, day) * Timestamp::MICROS_PER_DAY;
    let text = match text {
        [] => return Some(midnight),
        [b'T' | b't' | b' ', rest @ ..] => rest,
        _ => return None,
    };
    let (hour, text) = number(text, 2)?;
    let (minute, text) = number(text.strip_prefix(b":")?, 2)?;
    let (second, text) = match text {
        [b':', rest @ ..] => number(rest, 2)?,
        _ => (0, text),
    };
    let (fraction, text) = match text {
        [b'.', rest @ ..] => fraction(rest)?,
        _ => (0, text),
    };
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let offset = match text {
        [] | b"Z" | b"z" => 0,
        [b'+', rest @ ..] => offset_seconds(rest)?,
        [b'-', rest @ ..] => -offset_seconds(rest)?,
        _ => return None,
    };
    let seconds = hour * 3600 + minute * 60 + second - offset;
    Some(midnight + seconds * Timestamp::MICROS_PER_SECOND + fraction)
}

/// A number of exactly `width` digits and the text after it.
fn number(text: &[u8], width: usize) -> Option<(i64, &[u8])> {
    let (digits, rest) = text.split_at_checked(width)?;
    let value = digits.iter().try_fold(0, |value, byte| {
        byte.is_ascii_digit()
            .then(|| value * 10 + i64::from(byte - b'0'))
    })?;
    Some((value, rest))
}

/// Microseconds of a fraction of at least one digit, the digits after the sixth cut off.
fn fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let end = text
        .iter()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(end)?;
    let padded = digits
        .iter()
        .copied()
        .chain(std::iter::repeat(b'0'))
        .take(6);
    let micros = padded.fold(0, |value, byte| value * 10 + i64::from(byte - b'0'));
    (!digits.is_empty()).then_some((micros, rest))
}

/// Seconds of an offset without its sign: `02:00`, `0200` or `02`.
fn offset_seconds(text: &[u8]) -> Option<i64> {
    let (hours, rest) = number(text, 2)?;
    let (minutes, rest) = match rest {
        [] => (0, rest),
        [b':', rest @ ..] => number(rest, 2)?,
        _ => number(rest, 2)?,
    };
    (rest.is_empty() && hours <= 23 && minutes <= 59).then_some(hours * 3600 + minutes * 60)
}

#[cfg(test)]
mod tests;
