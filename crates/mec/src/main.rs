//! `mec`: the service and its tools in one binary. One file a command; those that need data reach it
//! through a [`door::Door`], be a server running or not.

mod bench;
mod clock;
mod commands;
mod confirm;
mod door;
mod jwks;
mod listening;
mod logging;
mod output;
mod place;
mod private;
mod proving;
mod reload;
mod secret;
mod serve;
mod settings;
mod welcome;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use place::Place;
use settings::{ConfigFile, Environment, Settings};

use commands::{
    account, catalogue, check, config, copy, doctor, import, key, lookups, migrate, openapi,
    retention, token, verify,
};

const EXIT_CODES: &str = "\
Exit codes:
  0  done; of check: the decision is no deny
  1  failed, with a sentence on standard error
  2  the command line or a setting is wrong; of config check: settings are wrong
  3  check: the decision is deny
  4  verify, copy: the ledger, the counters or the chain heads differ
  5  import: rows were refused; the others are recorded
  6  doctor: something is broken";

/// The exit code where a setting is wrong.
const WRONG_SETTING: u8 = 2;

/// A tenth of a check goes into memory, of which this takes less than the system's own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Metering, entitlements and controls in one binary.
#[derive(Parser)]
#[command(name = "mec", version, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    config: ConfigFile,
}

#[derive(Subcommand)]
enum Command {
    /// Serve (the default)
    Serve(serve::ServeArgs),
    /// Bring the database to this version's schema, and seed it where it is new
    Migrate(migrate::MigrateArgs),
    /// Print the settings file with all defaults, or check the settings
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Print a token for a role and namespace
    Token(token::TokenArgs),
    /// Make, list or revoke API keys, by which programs call that have no issuer of tokens
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Show or change plans, resource types and control rules
    #[command(subcommand)]
    Catalogue(catalogue::CatalogueCommand),
    /// Show or change units, window types and account types, which all namespaces share
    #[command(subcommand)]
    Lookups(lookups::LookupsCommand),
    /// Create accounts, or erase who a person is
    #[command(subcommand)]
    Account(account::AccountCommand),
    /// Drop what has been kept for its time
    #[command(subcommand)]
    Retention(retention::RetentionCommand),
    /// Ask whether an account may use a resource; exit 3 on a deny
    Check(check::CheckArgs),
    /// Record usage from a CSV or NDJSON file; may be run again, nothing counts twice
    Import(import::ImportArgs),
    /// Move a whole installation from its folder into PostgreSQL; may be run again, goes on where it stopped
    Copy(copy::CopyArgs),
    /// Recompute the hash chain and all usage from the ledger; exit 4 where something differs
    Verify(verify::VerifyArgs),
    /// Drive the running server, and tell how fast it answers
    Bench(bench::BenchArgs),
    /// Check this installation and say what to do
    Doctor(doctor::DoctorArgs),
    /// Print the description of the API (OpenAPI 3.1)
    Openapi,
    /// Say what the exit codes mean
    #[command(about = "Say what the exit codes mean", long_about = EXIT_CODES)]
    ExitCodes,
}

/// How the process was started.
pub struct Started {
    argv: Vec<OsString>,
    environment: Environment,
}

impl Started {
    /// Reads the command line over the environment and the settings file as they are now.
    fn read(&self) -> Result<(Cli, Settings), clap::Error> {
        let (cli, settings) = settings::read::<Cli>(Cli::command(), &self.argv, &self.environment)?;
        if cli.command.is_some() {
            return Ok((cli, settings));
        }
        let mut argv = self.argv.clone();
        argv.push("serve".into());
        settings::read(Cli::command(), &argv, &self.environment)
    }
}

impl Command {
    /// Whether it is there to tell what is wrong with settings, or needs none.
    fn bears_wrong_settings(&self) -> bool {
        matches!(
            self,
            Self::Config(_) | Self::Doctor(_) | Self::Openapi | Self::ExitCodes
        )
    }
}

fn main() -> ExitCode {
    let environment = std::env::vars_os();
    let environment =
        environment.filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
    let started = Started {
        argv: std::env::args_os().collect(),
        environment: environment.collect(),
    };
    let (cli, settings) = started.read().unwrap_or_else(|wrong| wrong.exit());
    let stops = settings.stops();
    if !stops.is_empty()
        && !cli
            .command
            .as_ref()
            .is_some_and(Command::bears_wrong_settings)
    {
        for sentence in stops {
            eprintln!("mec: {sentence}");
        }
        return ExitCode::from(WRONG_SETTING);
    }
    run(cli, &settings, started).unwrap_or_else(|error| {
        eprintln!("mec: {error:#}");
        ExitCode::from(1)
    })
}

fn run(cli: Cli, settings: &Settings, started: Started) -> anyhow::Result<ExitCode> {
    let place = cli.place;
    let folder = &place.data_dir;
    match cli.command {
        None => Ok(ExitCode::SUCCESS),
        Some(Command::Serve(args)) => serve::serve(&place, &args, settings, started),
        Some(Command::Migrate(args)) => migrate::migrate(&place, &args),
        Some(Command::Config(command)) => config::run(&command, settings),
        Some(Command::Token(args)) => token::token(folder, &args),
        Some(Command::Key(command)) => key::run(&place, &command),
        Some(Command::Catalogue(command)) => catalogue::run(&place, &command),
        Some(Command::Lookups(command)) => lookups::run(&place, &command),
        Some(Command::Account(command)) => account::run(&place, &command),
        Some(Command::Retention(command)) => retention::run(&place, &command),
        Some(Command::Check(args)) => check::check(&place, &args),
        Some(Command::Import(args)) => import::import(&place, &args),
        Some(Command::Copy(args)) => copy::copy(&place, &args),
        Some(Command::Verify(args)) => verify::verify(&place, &args),
        Some(Command::Bench(args)) => bench::bench(folder, &args),
        Some(Command::Doctor(args)) => doctor::doctor(&place, &args, settings),
        Some(Command::Openapi) => openapi::openapi(),
        Some(Command::ExitCodes) => output::print(EXIT_CODES).map(|()| ExitCode::SUCCESS),
    }
}
