//! Days and months of the proleptic Gregorian calendar in UTC, in integers.
//! The algorithms are Howard Hinnant's (<https://howardhinnant.github.io/date_algorithms.html>).

use crate::time::Timestamp;

/// A date.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Civil {
    pub year: i64,
    /// 1 to 12.
    pub month: i64,
    /// 1 to 31.
    pub day: i64,
}

impl Civil {
    /// The date of a day counted from 1970-01-01.
    pub(super) fn from_days(days: i64) -> Self {
        let z = days + 719_468;
        let era = z.div_euclid(146_097);
        let day_of_era = z.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * day_of_year + 2) / 153;
        let month = if shifted < 10 {
            shifted + 3
        } else {
            shifted - 9
        };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Self {
            year,
            month,
            day: day_of_year - (153 * shifted + 2) / 5 + 1,
        }
    }

    /// The day counted from 1970-01-01.
    pub(super) fn to_days(self) -> i64 {
        let year = self.year - i64::from(self.month <= 2);
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let shifted = if self.month > 2 {
            self.month - 3
        } else {
            self.month + 9
        };
        let day_of_year = (153 * shifted + 2) / 5 + self.day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        era * 146_097 + day_of_era - 719_468
    }
}

/// The month of a moment, counted from January of the year 0.
pub(super) fn month_of(micros: i64) -> i64 {
    let date = Civil::from_days(micros.div_euclid(Timestamp::MICROS_PER_DAY));
    date.year * 12 + date.month - 1
}

/// The first day of a month, counted from January of the year 0; the day is from 1970-01-01.
pub(super) fn first_of_month(month: i64) -> i64 {
    Civil {
        year: month.div_euclid(12),
        month: month.rem_euclid(12) + 1,
        day: 1,
    }
    .to_days()
}

/// A moment some months later or earlier, at the same time of the same day, or on the month's last
/// day where it has no such day.
pub(super) fn add_months(micros: i64, months: i64) -> i64 {
    let date = Civil::from_days(micros.div_euclid(Timestamp::MICROS_PER_DAY));
    let month = (date.year * 12 + date.month - 1)
        .saturating_add(months)
        .clamp(-120_000, 240_000);
    let length = first_of_month(month + 1) - first_of_month(month);
    let day = first_of_month(month) + date.day.min(length) - 1;
    day * Timestamp::MICROS_PER_DAY + micros.rem_euclid(Timestamp::MICROS_PER_DAY)
}
