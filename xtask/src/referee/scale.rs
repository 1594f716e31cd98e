//! Many accounts and a long ledger: what they cost in memory and at a restart, and what a longer
//! ledger costs a check and a write.

use super::Args;
use super::mec::Mec;
use super::ratios::{Ratio, Target};
use anyhow::Result;
use std::path::{Path, PathBuf};

/// Rows in the small ledger.
const SMALL_ROWS: usize = 10_000;
/// Accounts under either ledger.
const ACCOUNTS: usize = 1_000;
/// Cold accounts that are asked about after a restart.
const COLD_CHECKS: usize = 101;

/// Two ledgers side by side: a small one that is new in every round, and a large one.
pub struct Growth {
    binary: PathBuf,
    folder: PathBuf,
    pub small: Mec,
    pub large: Mec,
}

impl Growth {
    pub fn start(args: &Args, binary: &Path, folder: &Path) -> Result<Self> {
        println!("filling a ledger with {} rows", args.events);
        let large = Mec::start(binary, &folder.join("large"), ACCOUNTS)?;
        large.fill(args.events, false)?;
        Ok(Self {
            small: small(binary, folder, 0)?,
            large,
            binary: binary.to_path_buf(),
            folder: folder.to_path_buf(),
        })
    }

    /// Replaces the small ledger, which the writes of a round make longer.
    pub fn renew(&mut self, round: usize) -> Result<()> {
        self.small = small(&self.binary, &self.folder, round)?;
        Ok(())
    }
}

fn small(binary: &Path, folder: &Path, round: usize) -> Result<Mec> {
    let small = Mec::start(binary, &folder.join(format!("small-{round}")), ACCOUNTS)?;
    small.fill(SMALL_ROWS, false)?;
    Ok(small)
}

/// What the accounts and their ledger take, and what a killed server needs to be back.
pub fn judge(args: &Args, mec: &mut Mec) -> Result<Vec<Ratio>> {
    println!("adding {} events to one account", args.events);
    mec.fill(args.events, true)?;
    let accounts = args.accounts();
    let warm_mib = mec.resident_mib()?;
    let ready = mec.restart()?;
    let cold_mib = mec.resident_mib()?;
    let agent = ureq::Agent::new_with_defaults();
    // The account with the long ledger of its own is the first; no other has warmed the server.
    let hot = mec.time_check(&agent, 0)?;
    let mut others = Vec::new();
    for number in 1..=COLD_CHECKS.min(accounts.saturating_sub(1)) {
        others.push(mec.time_check(&agent, number)?.as_secs_f64() * 1e3);
    }
    others.sort_by(f64::total_cmp);
    let middle = others.get(others.len() / 2).copied().unwrap_or_default();
    Ok(vec![
        Ratio::once(
            format!("resident memory with {accounts} accounts, MiB"),
            Target::None,
            warm_mib,
        ),
        Ratio::once(
            "resident memory after a restart, MiB",
            Target::None,
            cold_mib,
        ),
        Ratio::once("data folder, MiB", Target::None, mec.disk_mib()?),
        Ratio::once(
            "time to ready after a kill, s",
            Target::AtMost(2.0),
            ready.as_secs_f64(),
        ),
        Ratio::once(
            format!(
                "first check after it, of a cold account with {} events, ms",
                args.events
            ),
            Target::AtMost(20.0),
            hot.as_secs_f64() * 1e3,
        ),
        Ratio::once(
            format!(
                "first check of other cold accounts, median of {}, ms",
                others.len()
            ),
            Target::AtMost(20.0),
            middle,
        ),
    ])
}
