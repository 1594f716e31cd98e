//! The schema's versions, applied in order, each in a transaction of its own.

use std::path::Path;

use mec_core::{IdSource, Namespace, Timestamp, seed};
use mec_store::{CatalogueDraft, StoreError};
use rusqlite::{Connection, TransactionBehavior, params};

use crate::error::store_error;
use crate::values::{At, first, run};
use crate::{catalogue, config, lookups, open, sql};

const MIGRATIONS: [&str; 9] = [
    include_str!("../migrations/0001_tables.sql"),
    include_str!("../migrations/0002_append_only.sql"),
    include_str!("../migrations/0003_views.sql"),
    include_str!("../migrations/0004_no_replace.sql"),
    include_str!("../migrations/0005_retention.sql"),
    include_str!("../migrations/0006_former_descendants.sql"),
    include_str!("../migrations/0007_lookups.sql"),
    include_str!("../migrations/0008_resources.sql"),
    include_str!("../migrations/0009_api_keys.sql"),
];

/// The version that this binary writes.
pub(crate) const NEWEST: i64 = MIGRATIONS.len() as i64;

/// Brings the schema to this binary's version.
pub(crate) fn migrate(conn: &mut Connection, now: Timestamp) -> Result<(), StoreError> {
    let found = version(conn)?;
    refuse_newer(found)?;
    for (version, migration) in (1_i64..)
        .zip(MIGRATIONS)
        .filter(|(version, _)| *version > found)
    {
        apply(conn, version, migration, now).map_err(store_error)?;
        tracing::info!(version, "applied a migration of the database");
    }
    Ok(())
}

/// Lays the newest schema in an empty database, for a comparison.
pub(crate) fn lay(conn: &Connection) -> rusqlite::Result<()> {
    MIGRATIONS
        .iter()
        .try_for_each(|migration| conn.execute_batch(migration))
}

/// Makes sure that the schema is the one this binary reads, without changing it.
pub(crate) fn check(conn: &Connection) -> Result<(), StoreError> {
    let found = version(conn)?;
    refuse_newer(found)?;
    if found < NEWEST {
        let sentence = format!(
            "the database has schema version {found}; start the server to bring it to {NEWEST}"
        );
        return Err(StoreError::Internal(sentence, None));
    }
    Ok(())
}

/// Which schema a database has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Schema {
    /// Its version; 0 for an empty database.
    pub found: i64,
    /// The version that this binary reads and writes.
    pub newest: i64,
}

/// Opens the database of a data folder for reading, also while a server runs, and tells its schema.
///
/// # Errors
/// Where there is no database, or it cannot be read.
pub fn schema(data_dir: &Path) -> Result<Schema, StoreError> {
    let connection = open::reader(&data_dir.join(config::DATABASE_FILE))?;
    let found = version(&connection)?;
    Ok(Schema {
        found,
        newest: NEWEST,
    })
}

/// Puts the rows that a new installation begins with, once.
pub(crate) fn seed(
    conn: &mut Connection,
    ids: &mut dyn IdSource,
    now: Timestamp,
) -> Result<(), StoreError> {
    let seeded: Option<i64> =
        first(conn, sql::META_SELECT_BY_NAME, ["seeded"], |row| row.get(0)).map_err(store_error)?;
    if seeded != Some(0) {
        return Ok(());
    }
    let draft = CatalogueDraft {
        over: None,
        resource_types: seed::resource_types(),
        plans: seed::plans(ids),
        rules: seed::rules(ids, now),
    };
    put_seed(conn, &draft, now).map_err(store_error)
}

fn put_seed(conn: &mut Connection, draft: &CatalogueDraft, now: Timestamp) -> rusqlite::Result<()> {
    let transaction = conn.transaction()?;
    lookups::insert(&transaction, &seed::lookups())?;
    catalogue::write::replace(&transaction, &Namespace::default_namespace(), draft, now)?;
    run(&transaction, sql::META_UPDATE_BY_NAME, params!["seeded", 1])?;
    transaction.commit()
}

fn refuse_newer(found: i64) -> Result<(), StoreError> {
    if found > NEWEST {
        let sentence = format!(
            "the database has schema version {found}, but this mec knows only {NEWEST}; run a newer mec"
        );
        return Err(StoreError::Damaged(sentence));
    }
    Ok(())
}

/// The version of the schema; 0 for an empty database.
pub(crate) fn version(conn: &Connection) -> Result<i64, StoreError> {
    let exists = conn
        .table_exists(None, "schema_migrations")
        .map_err(store_error)?;
    if !exists {
        return Ok(0);
    }
    let newest = first(conn, sql::SCHEMA_MIGRATION_SELECT_NEWEST, [], |row| {
        row.get(0)
    })
    .map_err(store_error)?;
    Ok(newest.unwrap_or(0))
}

fn apply(
    conn: &mut Connection,
    version: i64,
    migration: &str,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(migration)?;
    run(
        &transaction,
        sql::SCHEMA_MIGRATION_INSERT,
        params![version, At(now)],
    )?;
    transaction.commit()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lookups;

    /// A database of an earlier version with the seeded lookups.
    fn at_version(version: i64) -> Connection {
        let mut conn = Connection::open_in_memory().unwrap();
        let now = Timestamp::from_micros(0);
        for (version, migration) in (1..=version).zip(MIGRATIONS) {
            apply(&mut conn, version, migration, now).unwrap();
        }
        conn
    }

    #[test]
    fn units_that_an_older_database_recorded_in_stay() {
        let mut conn = at_version(6);
        lookups::insert(&conn, &seed::lookups()).unwrap();
        conn.execute_batch(
            "INSERT INTO accounts VALUES ('default', zeroblob(16), 'user', NULL, zeroblob(16), 0, NULL, NULL,
                 NULL, NULL, '{}', 'active', 0, 0);
             INSERT INTO consumption_ledger VALUES ('default', zeroblob(16), NULL, zeroblob(16), 'r', NULL, 1,
                 'tokens', 0, NULL, NULL, 0, NULL, 0, zeroblob(16), zeroblob(0), zeroblob(16), 1, zeroblob(32));
             INSERT INTO reservations VALUES ('default', zeroblob(16), zeroblob(16), 'r', NULL, 1, 'bytes', 0, 0,
                 'open', NULL, NULL, '[]');",
        )
        .unwrap();
        migrate(&mut conn, Timestamp::from_micros(0)).unwrap();
        assert_eq!(lookups::read(&conn).unwrap(), seed::lookups());
        for (unit, stays) in [("tokens", true), ("bytes", true), ("days", false)] {
            let gone = conn.execute(sql::UNIT_DELETE_BY_CODE, [unit]);
            assert_eq!(gone.is_err(), stays, "{unit}");
        }
    }
}
