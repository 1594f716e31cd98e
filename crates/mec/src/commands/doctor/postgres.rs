//! The PostgreSQL database: whether it answers, has this version's schema, and keeps time.

use anyhow::Result;
use mec_core::Timestamp;
use mec_engine::RisingIds;
use mec_store::{Clock, Store};
use mec_store_postgres::{PostgresConfig, PostgresStore};

use super::Findings;
use crate::clock::Wall;

/// From so many seconds on a difference of clocks is told. Nodes decide by the database's clock.
const WARN_SECONDS: i64 = 5;

pub fn look(config: &PostgresConfig, findings: &mut Findings) -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let shown = config.shown();
    let mut ids = RisingIds;
    let store = match runtime.block_on(PostgresStore::open(config, &mut ids)) {
        Ok(store) => store,
        Err(error) => {
            let remedy =
                "see whether it runs, whether DATABASE_URL is right, and run `mec migrate`";
            findings.fail("database", format!("{shown}: {error}"), remedy);
            return Ok(());
        }
    };
    findings.ok(
        "database",
        format!("{shown} answers and has this version's schema"),
    );
    match runtime.block_on(store.health()) {
        Ok(()) => findings.ok("database", "it can be written to"),
        Err(error) => findings.fail(
            "database",
            error.to_string(),
            "look at its disk, and whether it is a standby",
        ),
    }
    let moved = runtime.block_on(store.moved(None))?;
    let theirs = moved.now.unwrap_or(Timestamp::MIN);
    let apart = theirs.micros_since(Wall.now()) / Timestamp::MICROS_PER_SECOND;
    let told = format!("{} seconds apart from the database's", apart.abs());
    if apart.abs() > WARN_SECONDS {
        findings.warn(
            "clock",
            told,
            "set both clocks by NTP; decisions go by the database's",
        );
    } else {
        findings.ok("clock", told);
    }
    Ok(())
}
