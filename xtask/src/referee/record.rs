//! What the rounds measured, cell by cell.

use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    Empty,
    Check,
    CheckAlone,
    Bare,
    Disk,
    Consume,
    ConsumeHot,
    Postgres,
    PostgresHot,
    OnPostgres,
    OnPostgresHot,
    OnPostgresMeter,
    Meter,
    RedisCheck,
    RedisCount,
    SmallCheck,
    LargeCheck,
    SmallConsume,
    LargeConsume,
    Entitlements,
    PostgrestEntitlements,
    Ledger,
    PostgrestLedger,
}

impl Subject {
    fn name(self) -> &'static str {
        match self {
            Subject::Empty => "empty axum route",
            Subject::Check => "MEC check",
            Subject::CheckAlone => "MEC check, one account",
            Subject::Bare => "MEC check, one account, without the front door",
            Subject::Disk => "fdatasync of 4 KiB",
            Subject::Consume => "MEC consume, spread",
            Subject::ConsumeHot => "MEC consume, one hot account",
            Subject::Postgres => "PL/pgSQL counter, spread",
            Subject::PostgresHot => "PL/pgSQL counter, one hot row",
            Subject::OnPostgres => "MEC on PostgreSQL consume, spread",
            Subject::OnPostgresHot => "MEC on PostgreSQL consume, one hot account",
            Subject::OnPostgresMeter => "MEC on PostgreSQL meter_consumptions, events",
            Subject::Meter => "MEC meter_consumptions, events",
            Subject::RedisCheck => "Redis EVALSHA check",
            Subject::RedisCount => "Redis EVALSHA count, fsync always",
            Subject::SmallCheck => "MEC check, small ledger",
            Subject::LargeCheck => "MEC check, large ledger",
            Subject::SmallConsume => "MEC consume, small ledger",
            Subject::LargeConsume => "MEC consume, large ledger",
            Subject::Entitlements => "MEC on PostgreSQL GET entitlements",
            Subject::PostgrestEntitlements => "PostgREST GET entitlements",
            Subject::Ledger => "MEC on PostgreSQL GET 1000 events",
            Subject::PostgrestLedger => "PostgREST GET 1000 events",
        }
    }
}

/// A subject with a number of callers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cell {
    pub subject: Subject,
    pub callers: usize,
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} @{}", self.subject.name(), self.callers)
    }
}

/// What one round measured in one cell.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Figures {
    pub per_second: f64,
    /// Microseconds; `None` where the other side's own tool tells only the rate.
    pub p50_us: Option<f64>,
    pub p99_us: Option<f64>,
    pub p999_us: Option<f64>,
}

/// All figures, one per cell and round.
#[derive(Default)]
pub struct Record {
    cells: BTreeMap<Cell, Vec<Figures>>,
}

impl Record {
    pub fn add(&mut self, cell: Cell, figures: Figures) {
        self.cells.entry(cell).or_default().push(figures);
    }

    pub fn cells(&self) -> impl Iterator<Item = (Cell, &[Figures])> {
        self.cells
            .iter()
            .map(|(cell, figures)| (*cell, figures.as_slice()))
    }

    /// A cell's figures in the order of the rounds; none if it was left out.
    pub fn rounds(&self, subject: Subject, callers: usize) -> &[Figures] {
        self.cells
            .get(&Cell { subject, callers })
            .map_or(&[], Vec::as_slice)
    }
}

/// The middle of some values and their range.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Summary {
    pub median: f64,
    pub min: f64,
    pub max: f64,
}

impl Summary {
    /// `None` without values.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (min, max) = (*values.first()?, *values.last()?);
        let upper = *values.get(values.len() / 2)?;
        let lower = *values.get((values.len() - 1) / 2)?;
        Some(Self {
            median: f64::midpoint(lower, upper),
            min,
            max,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Summary;

    #[test]
    fn the_middle_and_the_range() {
        let summary =
            |values: &[f64]| Summary::of(values.iter().copied()).map(|s| (s.median, s.min, s.max));
        assert_eq!(summary(&[]), None);
        assert_eq!(summary(&[2.0]), Some((2.0, 2.0, 2.0)));
        assert_eq!(summary(&[9.0, 1.0, 2.0]), Some((2.0, 1.0, 9.0)));
        assert_eq!(summary(&[4.0, 1.0, 2.0, 9.0]), Some((3.0, 1.0, 9.0)));
    }
}
