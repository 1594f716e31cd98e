//! Proving the ledger again and again while the server runs, and telling of it by the metrics.

use std::time::Duration;

use anyhow::Result;
use mec_http::App;
use mec_store::verify::VerifyReport;

use crate::clock::unix_seconds;
use crate::place::Place;

/// Proves it every so often, for the first time at once, until it is stopped.
pub async fn prove(place: Place, app: App, every: Duration) {
    let mut turns = tokio::time::interval(every);
    loop {
        turns.tick().await;
        let told = app.front().metrics();
        match verify(&place).await {
            Ok(report) => {
                if let Some(problem) = &report.problem {
                    tracing::error!(problem, "the ledger differs from what was recorded");
                }
                told.verification
                    .done(unix_seconds(), report.problem.is_some());
            }
            Err(error) => {
                tracing::warn!(
                    error = format!("{error:#}"),
                    "the ledger could not be proven"
                );
                told.verification.failed();
            }
        }
    }
}

/// Proves it once, on a thread that may block: what is read may be large.
async fn verify(place: &Place) -> Result<VerifyReport> {
    let place = place.clone();
    let verified = tokio::task::spawn_blocking(move || {
        let mut silent = |_| {};
        let Some(config) = place.postgres() else {
            return Ok(mec_store_sqlite::verify(&place.data_dir, &mut silent)?);
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let report = mec_store_postgres::verify_since(&config, &[], &mut silent);
        Ok(runtime.block_on(report)?)
    });
    verified.await?
}
