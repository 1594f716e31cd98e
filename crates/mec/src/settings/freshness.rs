//! How old an answer from a node's memory may be, and what it says when the database is away.

use std::time::Duration;

use clap::Args;
use mec_engine::{EngineConfig, WhenLost};

use super::whole;

/// How fresh the checks of a node on PostgreSQL are.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Freshness, on PostgreSQL")]
pub struct Freshness {
    /// How far a check may be behind what other nodes committed; 10 to 60,000 milliseconds. A node looks at
    /// the database four times within it
    #[arg(
        long,
        env = "MEC_STALENESS_BOUND_MS",
        value_name = "MILLISECONDS",
        default_value = "1000",
        value_parser = whole("MEC_STALENESS_BOUND_MS", 10..=60_000, "milliseconds")
    )]
    staleness_bound_ms: u64,
    /// How long checks are answered from memory, marked as degraded, when the database cannot be reached;
    /// 0 to 86,400 seconds
    #[arg(
        long,
        env = "MEC_DEGRADED_FOR_SECONDS",
        value_name = "SECONDS",
        default_value = "300",
        value_parser = whole("MEC_DEGRADED_FOR_SECONDS", 0..=86_400, "seconds")
    )]
    degraded_for_seconds: u64,
    /// What becomes of checks after that: `closed` answers 503, so that the product decides; `open`, which is
    /// dangerous, goes on from memory, however old it is
    #[arg(
        long,
        env = "MEC_WHEN_LOST",
        value_name = "closed|open",
        default_value = "closed",
        value_parser = when_lost
    )]
    when_lost: WhenLost,
}

impl Freshness {
    /// An engine that goes by it.
    pub fn engine(&self) -> EngineConfig {
        EngineConfig {
            staleness_bound: Duration::from_millis(self.staleness_bound_ms),
            degraded_for: Duration::from_secs(self.degraded_for_seconds),
            when_lost: self.when_lost,
            ..EngineConfig::default()
        }
    }
}

fn when_lost(text: &str) -> Result<WhenLost, &'static str> {
    match text {
        "closed" => Ok(WhenLost::Closed),
        "open" => Ok(WhenLost::Open),
        _ => Err("MEC_WHEN_LOST is closed or open"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::parsed;
    use super::*;

    fn engine(flags: &[&str]) -> Result<(Duration, Duration, WhenLost), String> {
        let engine = parsed::<Freshness>(flags)?.engine();
        Ok((
            engine.staleness_bound,
            engine.degraded_for,
            engine.when_lost,
        ))
    }

    #[test]
    fn what_is_said_is_what_the_engine_goes_by() {
        let default = EngineConfig::default();
        let default = (
            default.staleness_bound,
            default.degraded_for,
            default.when_lost,
        );
        assert_eq!(engine(&[]), Ok(default));
        let flags = [
            "--staleness-bound-ms=10",
            "--degraded-for-seconds=86400",
            "--when-lost=open",
        ];
        let said = (
            Duration::from_millis(10),
            Duration::from_secs(86_400),
            WhenLost::Open,
        );
        assert_eq!(engine(&flags), Ok(said));
        assert!(engine(&["--degraded-for-seconds=0", "--staleness-bound-ms=60000"]).is_ok());
    }

    #[test]
    fn what_is_out_of_bounds_is_refused_by_name() {
        let check = |flag: &str, named: &str| {
            let told = engine(&[flag]).unwrap_err();
            assert!(told.contains(named), "{told}");
        };
        let bound = "MEC_STALENESS_BOUND_MS is a whole number of milliseconds from 10 to 60000";
        check("--staleness-bound-ms=9", bound);
        check("--staleness-bound-ms=60001", bound);
        check("--staleness-bound-ms=1s", bound);
        check("--staleness-bound-ms=", bound);
        let degraded = "MEC_DEGRADED_FOR_SECONDS is a whole number of seconds from 0 to 86400";
        check("--degraded-for-seconds=86401", degraded);
        check("--degraded-for-seconds=-1", degraded);
        check("--when-lost=Open", "MEC_WHEN_LOST is closed or open");
    }
}
