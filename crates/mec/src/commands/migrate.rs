//! `mec migrate`: the database in this version's schema.

use std::process::ExitCode;

use anyhow::{Result, ensure};
use mec_store_postgres::Passwords;
use secrecy::SecretString;

use crate::output;
use crate::place::Place;

#[derive(clap::Args)]
pub struct MigrateArgs {
    /// The address of the PostgreSQL database for an administrator, who makes the schema and the roles;
    /// without it that of the service itself
    #[arg(
        long,
        env = "MEC_ADMIN_DATABASE_URL",
        value_name = "URL",
        hide_env_values = true
    )]
    admin_url: Option<SecretString>,
    /// The password that the role `authenticator` gets, by which other programs read the tables
    #[arg(
        long,
        env = "AUTHENTICATOR_PASSWORD",
        value_name = "PASSWORD",
        hide_env_values = true
    )]
    authenticator_password: Option<SecretString>,
}

pub fn migrate(place: &Place, args: &MigrateArgs) -> Result<ExitCode> {
    if let Some(service) = place.postgres() {
        let admin = match &args.admin_url {
            Some(url) => place.connections.to(url.clone()),
            None => service.clone(),
        };
        let passwords = Passwords {
            engine: service.password_of("mec_engine"),
            authenticator: args.authenticator_password.clone(),
        };
        let runtime = tokio::runtime::Runtime::new()?;
        runtime.block_on(mec_store_postgres::migrate(&admin, &passwords))?;
        // The service's own address must work, too; the first to open the store seeds it.
        place.open(&runtime)?;
    } else {
        ensure!(
            args.admin_url.is_none(),
            "an administrator's address is for PostgreSQL: set DATABASE_URL (or --database-url) to the address \
             that the service itself uses, too"
        );
        place.open_embedded()?;
    }
    output::print(&format!("the database in {} is up to date", place.shown()))?;
    Ok(ExitCode::SUCCESS)
}
