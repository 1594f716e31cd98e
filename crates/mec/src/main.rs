//! `mec`: the service and its tools in one binary.
#![allow(
    clippy::print_stdout,
    reason = "a command-line tool answers on standard output"
)]

mod api;
mod clock;
mod secret;
mod serve;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};
use mec_http::{Claims, Role};
use uuid::Uuid;

/// Metering, entitlements and controls in one binary.
#[derive(Parser)]
#[command(name = "mec", version)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    folder: Folder,
}

/// Where the data is.
#[derive(Args, Clone)]
struct Folder {
    /// The data folder; made where it is missing
    #[arg(long, env = "MEC_DATA_DIR", default_value = "mec-data", global = true)]
    data_dir: PathBuf,
}

#[derive(Subcommand)]
enum Command {
    /// Serve (the default)
    Serve(serve::ServeArgs),
    /// Bring the database to this version's schema, and seed it where it is new
    Migrate,
    /// Print a token for a role and namespace
    Token(TokenArgs),
    /// Create an account through the running server; prints its row
    #[command(name = "account-create")]
    AccountCreate(api::AccountArgs),
    /// Ask the running server whether an account may use a resource; exit 3 on a deny
    Check(api::CheckArgs),
    /// Print the description of the API (OpenAPI 3.1)
    Openapi,
    /// Recompute the hash chain and all usage from the ledger; exit 4 where something differs
    Verify {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Args)]
struct TokenArgs {
    /// What the token may do
    #[arg(long, value_enum, default_value = "mec_service")]
    role: RoleName,
    /// In which namespace; `*` for an administrator of all
    #[arg(long, default_value = "default")]
    namespace: String,
    /// The account in whose subtree a mec_user may act
    #[arg(long)]
    account: Option<Uuid>,
    /// How long it lasts, in seconds
    #[arg(long, default_value_t = 86_400)]
    ttl: u64,
}

#[derive(Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
#[allow(
    clippy::enum_variant_names,
    reason = "these are the names of the roles"
)]
enum RoleName {
    MecUser,
    MecService,
    MecAdmin,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let folder = cli.folder.data_dir;
    let done = match cli
        .command
        .unwrap_or(Command::Serve(serve::ServeArgs::default()))
    {
        Command::Serve(args) => serve::serve(&folder, &args),
        Command::Migrate => serve::open_store(&folder).map(|_| {
            println!("the database in {} is up to date", folder.display());
            ExitCode::SUCCESS
        }),
        Command::Token(args) => token(&folder, &args).map(|token| {
            println!("{token}");
            ExitCode::SUCCESS
        }),
        Command::AccountCreate(args) => api::create_account(&folder, &args),
        Command::Check(args) => api::check(&folder, &args),
        Command::Openapi => openapi(),
        Command::Verify { json } => verify::verify(&folder, json),
    };
    done.unwrap_or_else(|error| {
        eprintln!("mec: {error:#}");
        ExitCode::from(1)
    })
}

fn openapi() -> anyhow::Result<ExitCode> {
    println!("{}", mec_http::openapi().to_pretty_json()?);
    Ok(ExitCode::SUCCESS)
}

fn token(folder: &std::path::Path, args: &TokenArgs) -> anyhow::Result<String> {
    let secret = secret::load_or_make(folder)?.secret;
    let role = match args.role {
        RoleName::MecUser => Role::MecUser,
        RoleName::MecService => Role::MecService,
        RoleName::MecAdmin => Role::MecAdmin,
    };
    let claims = Claims {
        sub: "mec-token".to_owned(),
        role,
        namespace_id: args.namespace.clone(),
        account_id: args.account,
        aud: "mec-service".to_owned(),
        exp: clock::unix_seconds().saturating_add(args.ttl),
    };
    Ok(mec_http::issue_token(secret.as_bytes(), &claims)?)
}
