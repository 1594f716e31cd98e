//! The ratios that the design promises for the embedded store, each within one round.

use super::record::{Figures, Record, Subject, Summary};
use serde::Serialize;
use std::fmt;

/// What a ratio must be.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    AtLeast(f64),
    AtMost(f64),
    /// Shown for orientation only.
    None,
}

/// One ratio over all rounds, or one figure; `summary` is none where a side was left out.
#[derive(Debug, Serialize)]
pub struct Ratio {
    pub name: String,
    pub target: Target,
    pub summary: Option<Summary>,
}

impl Ratio {
    /// A figure that was measured once.
    pub fn once(name: impl Into<String>, target: Target, value: f64) -> Self {
        Self {
            name: name.into(),
            target,
            summary: Summary::of([value]),
        }
    }
}

/// Every ratio of the design that can be told of what was measured.
pub fn all(record: &Record) -> Vec<Ratio> {
    let mut ratios = checks(record);
    ratios.extend(writes(record));
    ratios.extend(on_postgres(record));
    ratios.extend(orientation(record));
    ratios.extend(growth(record));
    ratios.extend(resources(record));
    ratios
}

fn checks(record: &Record) -> Vec<Ratio> {
    let of = |callers| {
        let p99 = |subject| values(record.rounds(subject, callers), |f| f.p99_us);
        [
            Ratio {
                name: format!("check / empty route, throughput @{callers}"),
                target: Target::AtLeast(0.80),
                summary: quotient(
                    &rates(record, Subject::Check, callers),
                    &rates(record, Subject::Empty, callers),
                ),
            },
            Ratio {
                name: format!("check / check without its front door, throughput @{callers}"),
                target: Target::AtLeast(0.85),
                summary: quotient(
                    &rates(record, Subject::CheckAlone, callers),
                    &rates(record, Subject::Bare, callers),
                ),
            },
            Ratio {
                name: format!("check / empty route, p99 @{callers}"),
                target: Target::AtMost(1.5),
                summary: quotient(&p99(Subject::Check), &p99(Subject::Empty)),
            },
        ]
    };
    super::CHECK_CALLERS.into_iter().flat_map(of).collect()
}

fn writes(record: &Record) -> Vec<Ratio> {
    let most = super::WRITE_CALLERS;
    let floor = one_caller_floor(
        &rates(record, Subject::Disk, 1),
        &rates(record, Subject::Empty, 1),
    );
    vec![
        Ratio {
            name: "consume @1 / (1 / (fdatasync + empty route))".to_owned(),
            target: Target::AtLeast(0.55),
            summary: quotient(&rates(record, Subject::Consume, 1), &floor),
        },
        Ratio {
            name: format!("consume / PL/pgSQL counter, spread @{most}"),
            target: Target::AtLeast(1.2),
            summary: quotient(
                &rates(record, Subject::Consume, most),
                &rates(record, Subject::Postgres, most),
            ),
        },
        Ratio {
            name: format!("consume / PL/pgSQL counter, one hot account @{most}"),
            target: Target::AtLeast(5.0),
            summary: quotient(
                &rates(record, Subject::ConsumeHot, most),
                &rates(record, Subject::PostgresHot, most),
            ),
        },
        Ratio {
            name: "meter_consumptions, events a second".to_owned(),
            target: Target::AtLeast(20_000.0),
            summary: Summary::of(rates(record, Subject::Meter, super::METER_CALLERS)),
        },
    ]
}

/// MEC on PostgreSQL beside the counters on the same server.
fn on_postgres(record: &Record) -> Vec<Ratio> {
    let most = super::WRITE_CALLERS;
    let rows = [
        (
            "consume on PostgreSQL / PL/pgSQL counter, spread",
            Subject::OnPostgres,
            Subject::Postgres,
            2.0,
        ),
        (
            "consume on PostgreSQL / PL/pgSQL counter, one hot account",
            Subject::OnPostgresHot,
            Subject::PostgresHot,
            8.0,
        ),
        (
            "consume on PostgreSQL, one hot account / spread",
            Subject::OnPostgresHot,
            Subject::OnPostgres,
            1.0,
        ),
    ];
    let judged = rows.into_iter().map(|(name, upper, lower, bound)| Ratio {
        name: format!("{name} @{most}"),
        target: Target::AtLeast(bound),
        summary: quotient(&rates(record, upper, most), &rates(record, lower, most)),
    });
    let few = [1, 8].into_iter().map(|callers| Ratio {
        name: format!("consume on PostgreSQL / PL/pgSQL counter, spread @{callers}"),
        target: Target::None,
        summary: quotient(
            &rates(record, Subject::OnPostgres, callers),
            &rates(record, Subject::Postgres, callers),
        ),
    });
    judged.chain(few).collect()
}

fn orientation(record: &Record) -> Vec<Ratio> {
    let most = super::WRITE_CALLERS;
    let rows = [
        (
            "consume, spread / fdatasync",
            Subject::Consume,
            Subject::Disk,
            1,
        ),
        (
            "consume, one hot account / fdatasync",
            Subject::ConsumeHot,
            Subject::Disk,
            1,
        ),
        (
            "check / Redis EVALSHA check",
            Subject::Check,
            Subject::RedisCheck,
            most,
        ),
        (
            "consume, spread / Redis EVALSHA count",
            Subject::Consume,
            Subject::RedisCount,
            most,
        ),
    ];
    rows.into_iter()
        .map(|(name, upper, lower, callers)| Ratio {
            name: format!("{name} @{most}"),
            target: Target::None,
            summary: quotient(&rates(record, upper, most), &rates(record, lower, callers)),
        })
        .collect()
}

fn growth(record: &Record) -> Vec<Ratio> {
    let most = super::WRITE_CALLERS;
    [
        ("check", Subject::LargeCheck, Subject::SmallCheck, 0.9),
        ("consume", Subject::LargeConsume, Subject::SmallConsume, 0.5),
    ]
    .into_iter()
    .map(|(name, large, small, bound)| Ratio {
        name: format!("{name}, large ledger / small ledger @{most}"),
        target: Target::AtLeast(bound),
        summary: quotient(&rates(record, large, most), &rates(record, small, most)),
    })
    .filter(|ratio| ratio.summary.is_some())
    .collect()
}

/// MEC on PostgreSQL beside PostgREST over the same database.
fn resources(record: &Record) -> Vec<Ratio> {
    let callers = super::resources::CALLERS;
    [
        (
            "GET entitlements of an account",
            Subject::Entitlements,
            Subject::PostgrestEntitlements,
        ),
        ("GET 1000 events", Subject::Ledger, Subject::PostgrestLedger),
    ]
    .into_iter()
    .map(|(name, mec, postgrest)| Ratio {
        name: format!("{name} / PostgREST @{callers}"),
        target: Target::AtLeast(3.0),
        summary: quotient(
            &rates(record, mec, callers),
            &rates(record, postgrest, callers),
        ),
    })
    .filter(|ratio| ratio.summary.is_some())
    .collect()
}

fn rates(record: &Record, subject: Subject, callers: usize) -> Vec<f64> {
    values(record.rounds(subject, callers), |f| Some(f.per_second))
}

fn values(rounds: &[Figures], of: impl Fn(&Figures) -> Option<f64>) -> Vec<f64> {
    rounds.iter().filter_map(of).collect()
}

/// Round by round, one side divided by the other.
fn quotient(upper: &[f64], lower: &[f64]) -> Option<Summary> {
    let pairs = upper.iter().zip(lower).filter(|(_, lower)| **lower > 0.0);
    Summary::of(pairs.map(|(upper, lower)| upper / lower))
}

/// What one caller could reach at best: a sync and an empty round trip, one after the other.
fn one_caller_floor(syncs: &[f64], trips: &[f64]) -> Vec<f64> {
    let pairs = syncs.iter().zip(trips);
    pairs
        .map(|(sync, trip)| 1.0 / (1.0 / sync + 1.0 / trip))
        .collect()
}

impl Target {
    fn is_met_by(self, value: f64) -> bool {
        match self {
            Target::AtLeast(bound) => value >= bound,
            Target::AtMost(bound) => value <= bound,
            Target::None => true,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::AtLeast(bound) => write!(f, "target >= {bound}"),
            Target::AtMost(bound) => write!(f, "target <= {bound}"),
            Target::None => write!(f, "no target"),
        }
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.name)?;
        let Some(Summary { median, min, max }) = self.summary else {
            return write!(f, "left out ({}): a side was not measured", self.target);
        };
        let digits = if median < 100.0 { 2 } else { 0 };
        write!(f, "{median:.digits$}")?;
        if min < max {
            write!(f, " [{min:.digits$}..{max:.digits$}]")?;
        }
        write!(f, " ({})", self.target)?;
        if matches!(self.target, Target::None) {
            return Ok(());
        }
        let word = if self.target.is_met_by(median) {
            "met"
        } else {
            "missed"
        };
        write!(f, " {word}")?;
        if self.target.is_met_by(min) != self.target.is_met_by(max) {
            write!(f, ", but noisy: the rounds lie on both sides of the target")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Ratio, Target, one_caller_floor, quotient};

    #[track_caller]
    fn check(upper: &[f64], lower: &[f64], target: Target, expected: &str) {
        let ratio = Ratio {
            name: "a / b".to_owned(),
            target,
            summary: quotient(upper, lower),
        };
        assert_eq!(ratio.to_string(), expected);
    }

    #[test]
    fn ratios_are_judged_by_their_median() {
        check(
            &[9.0, 8.0, 8.5],
            &[10.0, 10.0, 10.0],
            Target::AtLeast(0.8),
            "a / b: 0.85 [0.80..0.90] (target >= 0.8) met",
        );
        check(
            &[2.0],
            &[1.0],
            Target::AtMost(1.5),
            "a / b: 2.00 (target <= 1.5) missed",
        );
        check(&[2.0], &[1.0], Target::None, "a / b: 2.00 (no target)");
    }

    #[test]
    fn noise_and_gaps_are_said() {
        check(
            &[0.9, 0.7],
            &[1.0, 1.0],
            Target::AtLeast(0.8),
            "a / b: 0.80 [0.70..0.90] (target >= 0.8) met, but noisy: the rounds lie on both \
             sides of the target",
        );
        check(
            &[0.9],
            &[],
            Target::AtLeast(0.8),
            "a / b: left out (target >= 0.8): a side was not measured",
        );
    }

    #[test]
    fn one_caller_pays_for_the_sync_and_the_trip() {
        assert_eq!(one_caller_floor(&[1000.0], &[1000.0]), [500.0]);
    }
}
