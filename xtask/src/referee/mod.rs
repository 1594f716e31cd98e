//! `cargo xtask referee`: the speed targets, judged.
//!
//! A shared machine changes its speed from minute to minute. So everything is measured in turn, in
//! short cells, round after round, and only ratios within one round are judged.

pub mod bare;
mod child;
mod disk;
pub mod empty;
mod mec;
mod postgres;
mod ratios;
mod record;
mod redis;
mod report;
mod resources;
mod scale;

use crate::workspace;
use anyhow::{Context, Result, ensure};
use bare::Bare;
use clap::ValueEnum;
use empty::Empty;
use mec::{Load, Mec};
use postgres::Postgres;
use record::{Cell, Figures, Record, Subject};
use redis::{Redis, Script};
use resources::Resources;
use scale::Growth;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Callers of checks and of the empty route.
const CHECK_CALLERS: [usize; 2] = [32, 128];
/// Callers of single writes.
const WRITE_CALLERS: usize = 64;
/// Callers of single writes to PostgreSQL.
const POSTGRES_CALLERS: [usize; 3] = [1, 8, WRITE_CALLERS];
/// Callers of `meter_consumptions`: few, because each sends a hundred events at a time.
const METER_CALLERS: usize = 8;
/// Events in one `meter_consumptions` request.
const EVENTS_A_REQUEST: usize = 100;

#[derive(clap::Args)]
pub struct Args {
    /// How often everything is measured
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How long each cell runs in each round
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Accounts in MEC, and counters elsewhere, over which requests are spread; 1000, or 100000 with --scale
    #[arg(long)]
    accounts: Option<usize>,
    /// Measure only these
    #[arg(long, value_delimiter = ',')]
    only: Vec<Side>,
    /// Also measure on a ledger of 10000 rows and one of --events rows, side by side
    #[arg(long)]
    growth: bool,
    /// Measure with many accounts and --events rows; also tell memory, and kill and restart MEC
    #[arg(long)]
    scale: bool,
    /// Rows of the long ledgers
    #[arg(long, default_value_t = 1_000_000)]
    events: usize,
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
    /// Checks beside the empty route
    Check,
    /// Writes beside the raw disk
    Write,
    Postgres,
    Redis,
    /// Reads of resources beside PostgREST
    Resources,
}

impl Args {
    fn wants(&self, side: Side) -> bool {
        self.only.is_empty() || self.only.contains(&side)
    }

    fn duration(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }

    fn accounts(&self) -> usize {
        let usual = if self.scale { 100_000 } else { 1_000 };
        self.accounts.unwrap_or(usual)
    }
}

pub fn run(args: &Args) -> Result<()> {
    if cfg!(debug_assertions) {
        return run_optimised();
    }
    ensure!(args.rounds > 0, "--rounds must be at least 1");
    ensure!(args.accounts() > 0, "--accounts must be at least 1");
    ensure!(
        (0.1..=3600.0).contains(&args.seconds),
        "--seconds must lie between 0.1 and 3600"
    );
    let binary = match &args.binary {
        Some(binary) => binary.canonicalize().context("--binary")?,
        None => workspace::build_mec()?,
    };
    let parent = match &args.folder {
        Some(folder) => folder.canonicalize().context("--folder")?,
        None => workspace::metadata()?.target_directory,
    };
    let folder = tempfile::Builder::new()
        .prefix("referee-")
        .tempdir_in(parent)?;
    // PostgreSQL runs as another user, who must be able to pass through to its own folder.
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o711))?;

    let (mut sides, left_out) = Sides::start(args, &binary, folder.path())?;
    let mut record = Record::default();
    for round in 1..=args.rounds {
        println!("round {round} of {}", args.rounds);
        sides.round(args, round, &mut record)?;
    }
    let mut ratios = ratios::all(&record);
    if args.scale {
        ratios.extend(scale::judge(args, &mut sides.mec)?);
    }
    drop(sides);

    let conditions = report::Conditions {
        processors: std::thread::available_parallelism().map_or(1, usize::from),
        file_system: disk::file_system(folder.path()),
        folder: folder.path().display().to_string(),
        rounds: args.rounds,
        seconds: args.seconds,
        accounts: args.accounts(),
        left_out,
    };
    report::print(&conditions, &record, &ratios);
    match &args.json {
        Some(path) => report::write_json(path, &conditions, &record, &ratios),
        None => Ok(()),
    }
}

/// Runs the same task from an optimised build: a slow empty route would flatter MEC.
fn run_optimised() -> Result<()> {
    let mut cargo = workspace::cargo();
    cargo.args(["run", "--quiet", "--release", "--package", "xtask", "--"]);
    let error = cargo.args(std::env::args_os().skip(1)).exec();
    Err(error).context("starting the optimised build of this task")
}

/// The servers that run, each where it was asked for and is installed.
struct Sides {
    folder: PathBuf,
    mec: Mec,
    empty: Empty,
    /// Where checks are asked for.
    bare: Option<Bare>,
    redis: Option<Redis>,
    /// MEC on the server of the counters; stopped before that server is.
    on_postgres: Option<Mec>,
    /// Stopped before that server is, too.
    resources: Option<Resources>,
    postgres: Option<Postgres>,
    growth: Option<Growth>,
}

impl Sides {
    /// Starts everything, and says what is left out.
    fn start(args: &Args, binary: &Path, folder: &Path) -> Result<(Self, Vec<String>)> {
        let mut left_out = Vec::new();
        println!("making {} accounts in MEC", args.accounts());
        let mec = Mec::start(binary, &folder.join("mec"), args.accounts())?;
        if args.scale {
            println!("filling its ledger with {} rows", args.events);
            mec.fill(args.events, false)?;
        }
        let empty = Empty::start(mec.answer_bytes()?)?;
        let mut bare = None;
        if args.wants(Side::Check) {
            let folder = folder.join("bare");
            bare = Some(Bare::start(binary, &folder, args.accounts())?);
        }
        let mut redis = None;
        if args.wants(Side::Redis) {
            if Redis::is_installed() {
                redis = Some(Redis::start(folder).context("starting Redis")?);
            } else {
                left_out.push("redis-server is not installed: its rows are left out".to_owned());
            }
        }
        let (mut postgres, mut on_postgres) = (None, None);
        let mut resources = None;
        if args.wants(Side::Postgres) || args.wants(Side::Resources) {
            match postgres::installed() {
                Some(programs) => {
                    let started = Postgres::start(programs, folder, args.accounts(), WRITE_CALLERS);
                    let started = started.context("starting PostgreSQL")?;
                    let database = started.database_of_mec(binary)?;
                    let home = folder.join("mec-on-postgres");
                    let mec = Mec::start_on(binary, &home, args.accounts(), Some(database));
                    let mec = mec.context("starting MEC on PostgreSQL")?;
                    if args.wants(Side::Resources) {
                        let database = started.database_for_clients();
                        resources = Some(Resources::start(&mec, &database)?);
                    }
                    on_postgres = Some(mec);
                    postgres = Some(started);
                }
                None => left_out
                    .push("PostgreSQL's server is not installed: its rows are left out".to_owned()),
            }
        }
        let growth = args
            .growth
            .then(|| Growth::start(args, binary, folder))
            .transpose()?;
        let sides = Self {
            folder: folder.to_path_buf(),
            mec,
            empty,
            bare,
            redis,
            on_postgres,
            postgres,
            resources,
            growth,
        };
        Ok((sides, left_out))
    }

    /// Measures every cell once. Every other round goes backwards, so that what comes first and
    /// what comes last is not always the same.
    fn round(&mut self, args: &Args, round: usize, record: &mut Record) -> Result<()> {
        let mut cells = self.cells(args);
        if round.is_multiple_of(2) {
            cells.reverse();
        }
        for cell in cells {
            let measured = self.measure(cell, args.accounts(), args.duration());
            record.add(cell, measured.with_context(|| format!("measuring {cell}"))?);
        }
        match &mut self.growth {
            Some(growth) => growth.renew(round),
            None => Ok(()),
        }
    }

    /// What is compared stands side by side.
    fn cells(&self, args: &Args) -> Vec<Cell> {
        let mut cells = Vec::new();
        let mut add = |subject, callers| cells.push(Cell { subject, callers });
        if args.wants(Side::Check) {
            for callers in CHECK_CALLERS {
                add(Subject::Empty, callers);
                add(Subject::Check, callers);
                add(Subject::CheckAlone, callers);
                add(Subject::Bare, callers);
            }
        }
        if args.wants(Side::Write) {
            add(Subject::Empty, 1);
            add(Subject::Disk, 1);
            add(Subject::Consume, 1);
            add(Subject::Meter, METER_CALLERS);
        }
        if args.wants(Side::Write) || args.wants(Side::Postgres) || self.redis.is_some() {
            add(Subject::Consume, WRITE_CALLERS);
        }
        if args.wants(Side::Postgres) && self.postgres.is_some() {
            for callers in POSTGRES_CALLERS {
                add(Subject::Postgres, callers);
                add(Subject::OnPostgres, callers);
            }
            add(Subject::PostgresHot, WRITE_CALLERS);
            add(Subject::OnPostgresHot, WRITE_CALLERS);
            add(Subject::OnPostgresMeter, METER_CALLERS);
        }
        if args.wants(Side::Write) || args.wants(Side::Postgres) {
            add(Subject::ConsumeHot, WRITE_CALLERS);
        }
        if self.redis.is_some() {
            add(Subject::RedisCount, WRITE_CALLERS);
            add(Subject::RedisCheck, WRITE_CALLERS);
            add(Subject::Check, WRITE_CALLERS);
        }
        if self.growth.is_some() {
            add(Subject::SmallCheck, WRITE_CALLERS);
            add(Subject::LargeCheck, WRITE_CALLERS);
            add(Subject::SmallConsume, WRITE_CALLERS);
            add(Subject::LargeConsume, WRITE_CALLERS);
        }
        if self.resources.is_some() {
            cells.extend(Resources::cells());
        }
        cells
    }

    fn measure(&self, cell: Cell, accounts: usize, duration: Duration) -> Result<Figures> {
        let Cell { subject, callers } = cell;
        let mec = |load: Load<'_>| self.mec.measure(&load, duration);
        let growth = |of: fn(&Growth) -> &Mec, workload| {
            let growth = self.growth.as_ref().context("there is one ledger only")?;
            of(growth).measure(&Load::spread(workload, callers), duration)
        };
        let postgres = |accounts| {
            let postgres = self.postgres.as_ref().context("PostgreSQL does not run")?;
            postgres.measure(accounts, callers, duration)
        };
        let on_postgres = |load: Load<'_>| {
            let mec = self.on_postgres.as_ref();
            let mec = mec.context("MEC does not run on PostgreSQL")?;
            mec.measure(&load, duration)
        };
        let redis = |script| {
            let redis = self.redis.as_ref().context("Redis does not run")?;
            redis.measure(script, accounts, callers, duration)
        };
        let postgrest = |workload| {
            let (mec, resources) = self
                .on_postgres
                .as_ref()
                .zip(self.resources.as_ref())
                .context("PostgREST does not run")?;
            resources.measure(mec, &Load::spread(workload, callers), duration)
        };
        match subject {
            Subject::Empty => {
                let url = format!("http://{}", self.empty.address);
                self.mec.measure_other(&url, callers, duration)
            }
            Subject::CheckAlone => self.mec.measure_alone(callers, duration),
            Subject::Bare => {
                let bare = self.bare.as_ref().context("the bare check does not run")?;
                let url = format!("http://{}", bare.address);
                self.mec.measure_other(&url, callers, duration)
            }
            Subject::Check => mec(Load::spread("check", callers)),
            Subject::Consume => mec(Load::spread("consume", callers)),
            Subject::SmallCheck => growth(|g| &g.small, "check"),
            Subject::LargeCheck => growth(|g| &g.large, "check"),
            Subject::SmallConsume => growth(|g| &g.small, "consume"),
            Subject::LargeConsume => growth(|g| &g.large, "consume"),
            Subject::ConsumeHot => mec(Load {
                hot: true,
                ..Load::spread("consume", callers)
            }),
            Subject::Meter => mec(Load {
                batch: EVENTS_A_REQUEST,
                ..Load::spread("meter100", callers)
            }),
            Subject::Disk => disk::measure(&self.folder, duration),
            Subject::Postgres => postgres(accounts),
            Subject::PostgresHot => postgres(1),
            Subject::OnPostgres => on_postgres(Load::spread("consume", callers)),
            Subject::OnPostgresHot => on_postgres(Load {
                hot: true,
                ..Load::spread("consume", callers)
            }),
            Subject::OnPostgresMeter => on_postgres(Load {
                batch: EVENTS_A_REQUEST,
                ..Load::spread("meter100", callers)
            }),
            Subject::Entitlements => on_postgres(Load::spread("entitlements", callers)),
            Subject::Ledger => on_postgres(Load::spread("ledger", callers)),
            Subject::PostgrestEntitlements => postgrest("entitlements"),
            Subject::PostgrestLedger => postgrest("ledger"),
            Subject::RedisCheck => redis(Script::Check),
            Subject::RedisCount => redis(Script::CheckAndCount),
        }
    }
}
