//! `/metrics`: what the engine counts, in the text format of Prometheus.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use mec_engine::{Engine, Stats};
use prometheus::{Encoder, Gauge, IntCounter, Registry, TextEncoder};

use crate::App;
use crate::error::ApiError;
use crate::pages::page;
use crate::router::Entry;

/// A count of the engine's: its name, what it counts, where it stands.
type Count = (&'static str, &'static str, fn(&Stats) -> &AtomicU64);

const COUNTS: [Count; 8] = [
    (
        "mec_checks_in_memory_total",
        "Checks that were answered from memory",
        |stats| &stats.checks_in_memory,
    ),
    (
        "mec_commands_total",
        "Commands that went through the Journal",
        |stats| &stats.commands,
    ),
    (
        "mec_batches_total",
        "Batches that the Journal took",
        |stats| &stats.batches,
    ),
    ("mec_commits_total", "Commits to the store", |stats| {
        &stats.commits
    }),
    (
        "mec_loads_total",
        "Parts of Books that were loaded from the store",
        |stats| &stats.loads,
    ),
    (
        "mec_evictions_total",
        "Accounts that made room in memory",
        |stats| &stats.evictions,
    ),
    (
        "mec_decisions_logged_total",
        "Decisions that were given to the decision log",
        |stats| &stats.decisions_logged,
    ),
    (
        "mec_decisions_dropped_total",
        "Decisions that were not logged, since too many came",
        |stats| &stats.decisions_dropped,
    ),
];

/// The page of the metrics.
pub fn entries() -> [Entry; 1] {
    [page("/metrics", get(metrics))]
}

async fn metrics(State(app): State<App>) -> Result<Response, ApiError> {
    let text = read(app.engine()).map_err(|error| {
        let cause: &dyn std::error::Error = &error;
        tracing::error!(cause, "the metrics could not be written");
        ApiError::internal()
    })?;
    Ok(([(CONTENT_TYPE, prometheus::TEXT_FORMAT)], text).into_response())
}

fn read(engine: &Engine) -> prometheus::Result<Vec<u8>> {
    let registry = Registry::new();
    for (name, help, of) in COUNTS {
        let counter = IntCounter::new(name, help)?;
        counter.inc_by(of(engine.stats()).load(Ordering::Relaxed));
        registry.register(Box::new(counter))?;
    }
    let mut gauges = vec![(
        "mec_accounts_in_memory",
        "Accounts whose part of a Book is in memory",
        engine.accounts_in_memory() as f64,
    )];
    if let (Some(age), Some(bound)) = (engine.staleness(), engine.staleness_bound()) {
        gauges.push((
            "mec_staleness_seconds",
            "How long ago memory was known to hold all that other nodes committed",
            age.as_secs_f64(),
        ));
        gauges.push((
            "mec_staleness_bound_seconds",
            "How far behind other nodes a check from memory may be",
            bound.as_secs_f64(),
        ));
    }
    for (name, help, value) in gauges {
        let gauge = Gauge::new(name, help)?;
        gauge.set(value);
        registry.register(Box::new(gauge))?;
    }
    let mut text = Vec::new();
    TextEncoder::new().encode(&registry.gather(), &mut text)?;
    Ok(text)
}
