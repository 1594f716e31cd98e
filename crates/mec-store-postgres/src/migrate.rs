//! The schema's versions, applied in order, each in a transaction of its own; and the rows that a new
//! installation begins with.

use mec_core::{IdSource, Namespace, Timestamp, seed};
use mec_store::{CatalogueDraft, StoreError};
use secrecy::{ExposeSecret, SecretString};
use tokio::runtime::Handle;

use crate::config::PostgresConfig;
use crate::connection::{Connection, Value};
use crate::error::Fault;
use crate::store::in_transaction;
use crate::values::Columns;
use crate::{catalogue, lookups, sql};

const MIGRATIONS: [&str; 7] = [
    include_str!("../migrations/0001_tables.sql"),
    include_str!("../migrations/0002_guards.sql"),
    include_str!("../migrations/0003_roles.sql"),
    include_str!("../migrations/0004_api.sql"),
    include_str!("../migrations/0005_resources.sql"),
    include_str!("../migrations/0006_api_keys.sql"),
    include_str!("../migrations/0007_policies.sql"),
];

/// The version that this binary reads and writes.
const NEWEST: i64 = MIGRATIONS.len() as i64;

/// The passwords of the roles that log in; none to leave them as they are.
#[derive(Clone, Default)]
pub struct Passwords {
    /// Of `mec_engine`, by which the service itself logs in.
    pub engine: Option<SecretString>,
    /// Of `authenticator`, by which clients that speak SQL do.
    pub authenticator: Option<SecretString>,
}

/// Brings a database to this version's schema, from an empty one on. Any number of processes may do so
/// at once: they follow each other. Returns how many versions were applied.
///
/// # Errors
/// Where the database cannot be reached, the user of the address may not do this, or the schema is newer.
pub async fn migrate(config: &PostgresConfig, passwords: &Passwords) -> Result<u64, StoreError> {
    let connection = Connection::open(config, &Handle::current()).await?;
    let patient = "SET lock_timeout = 0; SET statement_timeout = 0; SELECT pg_advisory_lock(hashtext('mec.migrate'))";
    connection
        .client
        .batch_execute(patient)
        .await
        .map_err(Fault::from)?;
    let outcome = apply(&connection, passwords).await;
    let release = "SELECT pg_advisory_unlock(hashtext('mec.migrate'))";
    // The lock goes with the connection in any case.
    let _ = connection.client.batch_execute(release).await;
    Ok(outcome?)
}

async fn apply(connection: &Connection, passwords: &Passwords) -> Result<u64, Fault> {
    let versions = "CREATE TABLE IF NOT EXISTS public.mec_schema_migrations (
        version bigint PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT clock_timestamp())";
    connection.client.batch_execute(versions).await?;
    let found = version(connection).await?;
    refuse_newer(found)?;
    let mut applied = 0;
    for (version, migration) in (1_i64..).zip(MIGRATIONS) {
        if version <= found {
            continue;
        }
        in_transaction(connection, async |connection| {
            connection.client.batch_execute(migration).await?;
            let row: [Value<'_>; 1] = [&version];
            connection.run(sql::SCHEMA_MIGRATION_INSERT, &row).await?;
            Ok(())
        })
        .await?;
        tracing::info!(version, "applied a migration of the database");
        applied += 1;
    }
    let roles = [
        ("mec_engine", &passwords.engine),
        ("authenticator", &passwords.authenticator),
    ];
    for (role, password) in roles {
        if let Some(password) = password {
            // What is sent proves the password and does not tell it, so that no log of statements has it. It
            // is no parameter of the statement that sets it; the database quotes it.
            let secret = password.expose_secret().as_bytes();
            let verifier = postgres_protocol::password::scram_sha_256(secret);
            let of: [Value<'_>; 2] = [&role, &verifier];
            let row = connection.first(sql::ROLE_PASSWORD_SELECT, &of).await?;
            if let Some(row) = row {
                connection.client.batch_execute(row.read(0)?).await?;
            }
        }
    }
    Ok(applied)
}

fn refuse_newer(found: i64) -> Result<(), StoreError> {
    if found > NEWEST {
        return Err(StoreError::Damaged(format!(
            "the database has schema version {found}, but this mec knows only {NEWEST}; run a newer mec"
        )));
    }
    Ok(())
}

async fn version(connection: &Connection) -> Result<i64, Fault> {
    let exists = connection.first(sql::SCHEMA_MIGRATION_EXISTS, &[]).await?;
    if !exists.map_or(Ok(false), |row| row.read(0))? {
        return Ok(0);
    }
    let newest = connection
        .first(sql::SCHEMA_MIGRATION_SELECT_NEWEST, &[])
        .await?;
    newest.map_or(Ok(0), |row| row.read(0))
}

/// Makes sure that the schema is the one this binary reads.
pub(crate) async fn check(connection: &Connection) -> Result<(), StoreError> {
    let found = version(connection).await?;
    refuse_newer(found)?;
    if found < NEWEST {
        return Err(StoreError::Damaged(format!(
            "the database has schema version {found}, and this mec needs {NEWEST}; run `mec migrate` with an \
             administrator's address"
        )));
    }
    Ok(())
}

pub(crate) async fn meta(connection: &Connection, name: &str) -> Result<i64, StoreError> {
    let row = connection.first(sql::META_SELECT_BY_NAME, &[&name]).await?;
    Ok(row.map_or(Ok(0), |row| row.read(0))?)
}

/// The database's own time.
pub(crate) async fn now(connection: &Connection) -> Result<Timestamp, Fault> {
    let row = connection.first(sql::SNAPSHOT_SELECT, &[]).await?;
    row.map_or(Ok(Timestamp::MIN), |row| row.at(1))
}

/// Puts the rows that a new installation begins with, once: the first process that locks the mark does.
pub(crate) async fn seed(
    connection: &Connection,
    ids: &mut dyn IdSource,
    now: Option<Timestamp>,
) -> Result<(), StoreError> {
    if meta(connection, "seeded").await? != 0 {
        return Ok(());
    }
    let seeded = in_transaction(connection, async |connection| {
        let mark: [Value<'_>; 2] = [&"seeded", &1_i64];
        if connection.run(sql::META_CLAIM_BY_NAME, &mark).await? == 0 {
            return Ok(());
        }
        let now = match now {
            Some(now) => now,
            None => crate::migrate::now(connection).await?,
        };
        let draft = CatalogueDraft {
            over: None,
            resource_types: seed::resource_types(),
            plans: seed::plans(ids),
            rules: seed::rules(ids, now),
        };
        lookups::replace(connection, &seed::lookups()).await?;
        catalogue::replace(connection, &Namespace::default_namespace(), &draft, now).await
    });
    Ok(seeded.await?)
}
