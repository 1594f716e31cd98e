//! `cargo xtask referee`: the speed targets, judged.
//!
//! A shared machine changes its speed from minute to minute. So everything is measured in turn, in
//! short cells, round after round, and only ratios within one round are judged.

mod child;
mod disk;
pub mod empty;
mod mec;
mod mec_load;
mod postgres;
mod ratios;
mod record;
mod redis;
mod report;

use crate::load::{self, Client, HttpCaller};
use crate::workspace;
use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use clap::ValueEnum;
use mec::{Mec, SPREAD, Sample};
use postgres::{Counter, Postgres};
use record::{Figures, Record, Subject};
use redis::{Redis, Script};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::runtime::Runtime;

/// Callers of `meter_consumptions`: few, because each sends a hundred events at a time.
const METER_CALLERS: usize = 8;

#[derive(clap::Args)]
pub struct Args {
    /// How often everything is measured
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How long each cell runs in each round
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// The numbers of callers; ratios with one caller need 1 among them
    #[arg(long, value_delimiter = ',', default_value = "1,32,64")]
    callers: Vec<usize>,
    /// Accounts in MEC: checks ask all of them, writes go to the first 1,000
    #[arg(long, default_value_t = SPREAD)]
    accounts: usize,
    /// Measure only these
    #[arg(long, value_delimiter = ',')]
    only: Vec<Side>,
    /// The MEC binary; built from this workspace if not given
    #[arg(long)]
    binary: Option<PathBuf>,
    /// Where the temporary folder is made, on the disk to be measured; the target folder if not given
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Write every round to this file too
    #[arg(long)]
    json: Option<PathBuf>,
}

/// What can be measured alone.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Side {
    Empty,
    Mec,
    Disk,
    Redis,
    Postgres,
}

impl Args {
    fn wants(&self, side: Side) -> bool {
        self.only.is_empty() || self.only.contains(&side)
    }

    fn duration(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }

    fn most_callers(&self) -> usize {
        self.callers.iter().copied().max().unwrap_or(1)
    }
}

pub fn run(args: &Args) -> Result<()> {
    if cfg!(debug_assertions) {
        return run_optimised();
    }
    ensure!(args.rounds > 0, "--rounds must be at least 1");
    ensure!(
        args.callers.iter().all(|callers| *callers > 0),
        "--callers must be at least 1"
    );
    ensure!(args.accounts > 0, "--accounts must be at least 1");
    ensure!(
        (0.1..=3600.0).contains(&args.seconds),
        "--seconds must lie between 0.1 and 3600"
    );
    let parent = match &args.folder {
        Some(folder) => folder.clone(),
        None => workspace::metadata()?.target_directory,
    };
    let folder = tempfile::Builder::new()
        .prefix("referee-")
        .tempdir_in(parent)?;
    // PostgreSQL runs as another user, who must be able to pass through to its own folder.
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o711))?;

    let runtime = Runtime::new()?;
    let (sides, left_out) = Sides::start(args, &runtime, folder.path())?;
    let mut record = Record::default();
    for round in 1..=args.rounds {
        println!("round {round} of {}", args.rounds);
        sides.measure(args, &runtime, folder.path(), &mut record)?;
    }
    drop(sides);

    let conditions = report::Conditions {
        processors: std::thread::available_parallelism().map_or(1, usize::from),
        file_system: disk::file_system(folder.path()),
        folder: folder.path().display().to_string(),
        rounds: args.rounds,
        seconds: args.seconds,
        accounts: args.accounts,
        left_out,
    };
    let ratios = ratios::all(&record, &args.callers);
    report::print(&conditions, &record, &ratios);
    match &args.json {
        Some(path) => report::write_json(path, &conditions, &record, &ratios),
        None => Ok(()),
    }
}

/// Runs the same task from an optimised build: a slow load generator would hide every difference.
fn run_optimised() -> Result<()> {
    let mut cargo = workspace::cargo();
    cargo.args(["run", "--quiet", "--release", "--package", "xtask", "--"]);
    let error = cargo.args(std::env::args_os().skip(1)).exec();
    Err(error).context("starting the optimised build of this task")
}

/// The servers that run, each where it was asked for and is installed.
struct Sides {
    mec: Option<Mec>,
    empty: Option<(child::Child, SocketAddr)>,
    sample: Sample,
    redis: Option<Redis>,
    postgres: Option<Postgres>,
}

impl Sides {
    /// Starts everything, and says what is left out.
    fn start(args: &Args, runtime: &Runtime, folder: &Path) -> Result<(Self, Vec<String>)> {
        let mut left_out = Vec::new();
        let mec = if args.wants(Side::Mec) {
            let binary = args.binary.clone().map_or_else(workspace::build_mec, Ok)?;
            println!("making {} accounts in MEC", args.accounts);
            Some(runtime.block_on(Mec::start(&binary, folder, args.accounts))?)
        } else {
            None
        };
        let sample = match &mec {
            Some(mec) => runtime.block_on(mec.sample())?,
            None => Sample::without_mec()?,
        };
        let empty = args
            .wants(Side::Empty)
            .then(|| empty::start(sample.answer_bytes))
            .transpose()?;
        let redis = if !args.wants(Side::Redis) {
            None
        } else if Redis::is_installed() {
            Some(
                runtime
                    .block_on(Redis::start(folder))
                    .context("starting Redis")?,
            )
        } else {
            left_out.push("redis-server not installed: rows left out".to_owned());
            None
        };
        let postgres = match postgres::installed() {
            _ if !args.wants(Side::Postgres) => None,
            Some(programs) => {
                let postgres = Postgres::start(programs, folder, SPREAD, args.most_callers());
                Some(postgres.context("starting PostgreSQL")?)
            }
            None => {
                left_out.push("PostgreSQL's server not installed: rows left out".to_owned());
                None
            }
        };
        Ok((
            Self {
                mec,
                empty,
                sample,
                redis,
                postgres,
            },
            left_out,
        ))
    }

    /// One round: every cell once, those that are compared close to each other.
    fn measure(
        &self,
        args: &Args,
        runtime: &Runtime,
        folder: &Path,
        record: &mut Record,
    ) -> Result<()> {
        let (duration, most) = (args.duration(), args.most_callers());
        for &callers in &args.callers {
            if let Some((_, address)) = &self.empty {
                let figures = runtime.block_on(self.empty_route(*address, callers, duration))?;
                record.add(Subject::Empty, callers, figures);
            }
            if let Some(mec) = &self.mec {
                let figures = runtime.block_on(mec.check(callers, duration))?;
                record.add(Subject::Check, callers, figures);
            }
        }
        if args.wants(Side::Disk) {
            record.add(Subject::Disk, 1, disk::measure(folder, duration)?);
        }
        if let Some(mec) = &self.mec {
            for &callers in &args.callers {
                let figures = runtime.block_on(mec.consume(SPREAD, callers, duration))?;
                record.add(Subject::ConsumeSpread, callers, figures);
            }
        }
        if let Some(postgres) = &self.postgres {
            for (subject, counter, accounts) in [
                (Subject::PostgresSpread, Counter::Only, SPREAD),
                (Subject::PostgresOnceSpread, Counter::Once, SPREAD),
                (Subject::PostgresHot, Counter::Only, 1),
                (Subject::PostgresOnceHot, Counter::Once, 1),
            ] {
                record.add(
                    subject,
                    most,
                    postgres.measure(counter, accounts, most, duration)?,
                );
            }
        }
        if let Some(mec) = &self.mec {
            let hot = runtime.block_on(mec.consume(1, most, duration))?;
            record.add(Subject::ConsumeHot, most, hot);
            let meter = runtime.block_on(mec.meter(METER_CALLERS, duration))?;
            record.add(Subject::Meter, METER_CALLERS, meter);
        }
        if let Some(redis) = &self.redis {
            for (subject, script) in [
                (Subject::RedisCheck, Script::Check),
                (Subject::RedisCount, Script::CheckAndCount),
            ] {
                let run = redis.measure(script, SPREAD, most, duration);
                record.add(subject, most, runtime.block_on(run)?);
            }
        }
        Ok(())
    }

    /// Asks the empty route with the bytes of a real check.
    async fn empty_route(
        &self,
        address: SocketAddr,
        callers: usize,
        duration: Duration,
    ) -> Result<Figures> {
        let mut all = Vec::new();
        for _ in 0..callers {
            let body = self.sample.body.clone();
            all.push(HttpCaller {
                client: Client::connect(address).await?,
                template: self.sample.template.clone(),
                body: move || -> Bytes { body.clone() },
                accept: |answer| !answer.is_empty(),
            });
        }
        Ok(Figures::of(&load::run(all, duration).await?, 1))
    }
}
