//! What a run tells: a table for people, JSON for programs (docs/benchmarks.md names its fields).

use std::collections::BTreeMap;
use std::fmt;

use hdrhistogram::Histogram;
use serde::Serialize;

use super::drive::{Drive, Measured, Pace};
use super::workload::{Load, Workload};

/// A run and what it measured.
#[derive(Serialize)]
pub struct Report {
    /// None for a raw request.
    workload: Option<Workload>,
    accounts: u64,
    hot: bool,
    batch: u32,
    callers: u32,
    /// Requests a second of the schedule; none in a closed loop.
    rate: Option<f64>,
    warmup_seconds: f64,
    /// How long answers counted, the wait for the last ones included.
    seconds: f64,
    requests: u64,
    requests_per_second: f64,
    items_per_second: f64,
    unanswered: u64,
    errors: BTreeMap<String, u64>,
    latency_us: Option<Percentiles>,
    kinds: Vec<KindReport>,
}

#[derive(Serialize)]
struct KindReport {
    kind: &'static str,
    requests: u64,
    requests_per_second: f64,
    items_per_second: f64,
    latency_us: Percentiles,
}

/// Microseconds.
#[derive(Serialize)]
struct Percentiles {
    p50: f64,
    p90: f64,
    p99: f64,
    #[serde(rename = "p99.9")]
    p999: f64,
    max: f64,
}

impl Percentiles {
    fn of(latency_ns: &Histogram<u64>) -> Self {
        let us = |nanoseconds: u64| nanoseconds as f64 / 1_000.0;
        let at = |share| us(latency_ns.value_at_quantile(share));
        Self {
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: us(latency_ns.max()),
        }
    }
}

impl Report {
    pub fn new(load: &Load, drive: &Drive, measured: &Measured) -> Self {
        let seconds = measured.elapsed.as_secs_f64();
        let per_second = |count: u64| count as f64 / seconds;
        let cells = || measured.cells.values();
        let requests = cells().map(|cell| cell.latency_ns.len()).sum();
        let mut all = cells().map(|cell| cell.latency_ns.clone());
        let first = all.next();
        let together = first.map(|first| all.fold(first, |sum, next| sum + next));
        let kinds = measured.cells.iter().map(|(kind, cell)| KindReport {
            kind: kind.name(),
            requests: cell.latency_ns.len(),
            requests_per_second: per_second(cell.latency_ns.len()),
            items_per_second: per_second(cell.items),
            latency_us: Percentiles::of(&cell.latency_ns),
        });
        Self {
            workload: load.raw.is_none().then_some(load.workload),
            accounts: load.accounts,
            hot: load.hot,
            batch: load.batch,
            callers: load.callers,
            rate: match drive.pace {
                Pace::Closed => None,
                Pace::Open { per_second } => Some(per_second),
            },
            warmup_seconds: drive.warmup.as_secs_f64(),
            seconds,
            requests,
            requests_per_second: per_second(requests),
            items_per_second: per_second(cells().map(|cell| cell.items).sum()),
            unanswered: measured.unanswered,
            errors: measured.errors.clone(),
            latency_us: together.as_ref().map(Percentiles::of),
            kinds: kinds.collect(),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let accounts = if self.hot { 1 } else { self.accounts };
        let pace = match self.rate {
            None => "closed loop".to_owned(),
            Some(rate) => format!("{rate} requests a second, latencies from the scheduled start"),
        };
        writeln!(
            f,
            "{accounts} accounts, {} callers, {pace}, {:.1} s after {:.1} s of warm-up\n",
            self.callers, self.seconds, self.warmup_seconds
        )?;
        writeln!(
            f,
            "{:<20} {:>10} {:>10} {:>10} {:>9} {:>9} {:>9} {:>9} {:>9}",
            "",
            "requests",
            "a second",
            "items/s",
            "p50 us",
            "p90 us",
            "p99 us",
            "p99.9 us",
            "max us"
        )?;
        for kind in &self.kinds {
            let us = &kind.latency_us;
            writeln!(
                f,
                "{:<20} {:>10} {:>10.0} {:>10.0} {:>9.0} {:>9.0} {:>9.0} {:>9.0} {:>9.0}",
                kind.kind,
                kind.requests,
                kind.requests_per_second,
                kind.items_per_second,
                us.p50,
                us.p90,
                us.p99,
                us.p999,
                us.max
            )?;
        }
        for (code, count) in &self.errors {
            writeln!(f, "refused: {count} x {code}")?;
        }
        if self.unanswered > 0 {
            writeln!(f, "not answered in time: {}", self.unanswered)?;
        }
        Ok(())
    }
}
