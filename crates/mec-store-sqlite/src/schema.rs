//! Migrations, applied in order, each in one transaction.

use mec_core::{IdSource, Timestamp, seed};
use mec_store::{CatalogueDraft, StoreError};
use rusqlite::{Connection, params};

use crate::errors::store_error;
use crate::{catalogue, sql};

const MIGRATIONS: [&str; 3] = [
    include_str!("../migrations/0001_tables.sql"),
    include_str!("../migrations/0002_append_only.sql"),
    include_str!("../migrations/0003_views.sql"),
];

/// Brings a database to this schema. A newer one is refused.
pub(crate) fn migrate(connection: &mut Connection, now: Timestamp) -> Result<(), StoreError> {
    let version: i64 = connection
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .map_err(store_error)?;
    let version = usize::try_from(version).unwrap_or(0);
    if version > MIGRATIONS.len() {
        return Err(StoreError::Damaged(format!(
            "the database has schema {version}, this program knows {} only; run a newer mec",
            MIGRATIONS.len()
        )));
    }
    for (index, migration) in MIGRATIONS.iter().enumerate().skip(version) {
        apply(connection, index as i64 + 1, migration, now).map_err(store_error)?;
    }
    Ok(())
}

fn apply(
    connection: &mut Connection,
    version: i64,
    migration: &str,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    transaction.execute_batch(migration)?;
    transaction.execute_batch(
        "CREATE TABLE IF NOT EXISTS schema_migrations (version INTEGER PRIMARY KEY, applied_at INTEGER NOT NULL) STRICT",
    )?;
    let values = params![version, now.as_micros()];
    transaction.execute(
        "INSERT INTO schema_migrations (version, applied_at) VALUES (?1, ?2)",
        values,
    )?;
    transaction.pragma_update(None, "user_version", version)?;
    transaction.commit()
}

/// Puts the rows that a new installation begins with, once.
pub(crate) fn seed(
    connection: &mut Connection,
    ids: &mut dyn IdSource,
    now: Timestamp,
) -> Result<(), StoreError> {
    let seeded: i64 = connection
        .query_row(sql::META_SELECT_BY_NAME, ["seeded"], |row| row.get(0))
        .map_err(store_error)?;
    if seeded != 0 {
        return Ok(());
    }
    let draft = CatalogueDraft {
        resource_types: seed::resource_types(),
        plans: seed::plans(ids),
        rules: seed::rules(ids, now),
    };
    let transaction = connection.transaction().map_err(store_error)?;
    catalogue::insert_lookups(&transaction, &seed::lookups()).map_err(store_error)?;
    catalogue::write(
        &transaction,
        &mec_core::Namespace::default_namespace(),
        &draft,
        now,
    )
    .map_err(store_error)?;
    transaction
        .execute(sql::META_UPDATE_BY_NAME, params!["seeded", 1])
        .map_err(store_error)?;
    transaction.commit().map_err(store_error)
}
