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

/// One ratio over all rounds; `summary` is none where one of its sides was left out.
#[derive(Debug, Serialize)]
pub struct Ratio {
    pub name: String,
    pub target: Target,
    pub summary: Option<Summary>,
}

/// Every ratio that these numbers of callers allow.
pub fn all(record: &Record, callers: &[usize]) -> Vec<Ratio> {
    use Subject::*;
    let most = callers.iter().copied().max().unwrap_or(1);
    let rate = |subject, callers| -> Vec<f64> {
        values(record.rounds(subject, callers), |f| Some(f.per_second))
    };
    let p99 =
        |subject, callers| -> Vec<f64> { values(record.rounds(subject, callers), |f| f.p99_us) };
    let mut ratios = Vec::new();
    for &callers in callers {
        ratios.push(Ratio {
            name: format!("check / empty route, throughput @{callers}"),
            target: Target::AtLeast(0.80),
            summary: quotient(&rate(Check, callers), &rate(Empty, callers)),
        });
        ratios.push(Ratio {
            name: format!("check / empty route, p99 @{callers}"),
            target: Target::AtMost(1.5),
            summary: quotient(&p99(Check, callers), &p99(Empty, callers)),
        });
    }
    let floor = one_caller_floor(&rate(Disk, 1), &rate(Empty, 1));
    let mut add = |name: String, target, summary| {
        ratios.push(Ratio {
            name,
            target,
            summary,
        })
    };
    add(
        "consume @1 / (1 / (fdatasync + empty route))".to_owned(),
        Target::AtLeast(0.55),
        quotient(&rate(ConsumeSpread, 1), &floor),
    );
    for (name, ours, theirs, bound) in [
        ("counter, spread", ConsumeSpread, PostgresSpread, 1.2),
        (
            "counter, row and key, spread",
            ConsumeSpread,
            PostgresOnceSpread,
            1.2,
        ),
        ("counter, one hot account", ConsumeHot, PostgresHot, 5.0),
        (
            "counter, row and key, one hot account",
            ConsumeHot,
            PostgresOnceHot,
            5.0,
        ),
    ] {
        add(
            format!("consume / PL/pgSQL {name} @{most}"),
            Target::AtLeast(bound),
            quotient(&rate(ours, most), &rate(theirs, most)),
        );
    }
    add(
        "meter_consumptions, events a second".to_owned(),
        Target::AtLeast(20_000.0),
        Summary::of(rate(Meter, super::METER_CALLERS)),
    );
    add(
        format!("check / Redis EVALSHA check @{most}"),
        Target::None,
        quotient(&rate(Check, most), &rate(RedisCheck, most)),
    );
    add(
        format!("consume / Redis EVALSHA count, spread @{most}"),
        Target::None,
        quotient(&rate(ConsumeSpread, most), &rate(RedisCount, most)),
    );
    ratios
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
        write!(f, "ratio {}: ", self.name)?;
        let Some(Summary { median, min, max }) = self.summary else {
            return write!(f, "left out ({}): a side was not measured", self.target);
        };
        let digits = if median < 100.0 { 2 } else { 0 };
        write!(
            f,
            "{median:.digits$} [{min:.digits$}..{max:.digits$}] ({})",
            self.target
        )?;
        if matches!(self.target, Target::None) {
            return Ok(());
        }
        write!(
            f,
            " {}",
            if self.target.is_met_by(median) {
                "met"
            } else {
                "missed"
            }
        )?;
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
            "ratio a / b: 0.85 [0.80..0.90] (target >= 0.8) met",
        );
        check(
            &[2.0],
            &[1.0],
            Target::AtMost(1.5),
            "ratio a / b: 2.00 [2.00..2.00] (target <= 1.5) missed",
        );
        check(
            &[2.0],
            &[1.0],
            Target::None,
            "ratio a / b: 2.00 [2.00..2.00] (no target)",
        );
    }

    #[test]
    fn noise_and_gaps_are_said() {
        check(
            &[0.9, 0.7],
            &[1.0, 1.0],
            Target::AtLeast(0.8),
            "ratio a / b: 0.80 [0.70..0.90] (target >= 0.8) met, but noisy: the rounds lie on both \
             sides of the target",
        );
        check(
            &[0.9],
            &[],
            Target::AtLeast(0.8),
            "ratio a / b: left out (target >= 0.8): a side was not measured",
        );
    }

    #[test]
    fn one_caller_pays_for_the_sync_and_the_trip() {
        assert_eq!(one_caller_floor(&[1000.0], &[1000.0]), [500.0]);
    }
}
