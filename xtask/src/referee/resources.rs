//! Reads of resources: MEC on PostgreSQL beside a real PostgREST over the same database.

use super::mec::{Load, Mec, SECRET};
use super::record::{Cell, Figures, Subject};
use anyhow::{Context, Result};
use mec_test_postgrest::{PostgRest, Settings};
use std::time::Duration;

/// Callers of reads.
pub const CALLERS: usize = 16;
/// Events in the ledger, of which a page is a thousand.
const EVENTS: usize = 20_000;

/// A PostgREST beside a node of MEC.
pub struct Resources {
    postgrest: PostgRest,
}

impl Resources {
    /// Starts PostgREST over MEC's database, whose ledger is filled.
    pub fn start(mec: &Mec, database_url: &str) -> Result<Self> {
        mec.fill(EVENTS, false)?;
        let settings = Settings {
            database_url,
            jwt_secret: SECRET,
            audience: "mec-service",
        };
        let postgrest = PostgRest::start(&settings).context("starting PostgREST")?;
        Ok(Self { postgrest })
    }

    /// What is compared, side by side.
    pub fn cells() -> impl Iterator<Item = Cell> {
        let subjects = [
            Subject::Entitlements,
            Subject::PostgrestEntitlements,
            Subject::Ledger,
            Subject::PostgrestLedger,
        ];
        subjects.into_iter().map(|subject| Cell {
            subject,
            callers: CALLERS,
        })
    }

    /// Runs a load of reads against PostgREST, with the token and the generator that MEC is asked with.
    pub fn measure(&self, mec: &Mec, load: &Load<'_>, duration: Duration) -> Result<Figures> {
        mec.measure_elsewhere(&self.postgrest.address, load, duration)
    }
}
