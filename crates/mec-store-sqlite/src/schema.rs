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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn migrated() -> Connection {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, Timestamp::default()).unwrap();
        connection
    }

    #[test]
    fn every_statement_prepares_and_none_but_verification_scans_the_ledger() {
        let connection = migrated();
        for (file, statement) in sql::ALL {
            connection
                .prepare(statement)
                .map_err(|error| format!("{file}: {error}"))
                .unwrap();
            let mut plan = connection
                .prepare(&format!("EXPLAIN QUERY PLAN {statement}"))
                .unwrap();
            let mut steps = plan.raw_query();
            while let Some(step) = steps.next().unwrap() {
                let step: String = step.get(3).unwrap();
                let scans = step.starts_with("SCAN l") || step.contains("SCAN consumption_ledger");
                assert!(
                    !scans || *file == "event_select_all_by_chain",
                    "{file}: {step}"
                );
            }
        }
    }

    #[test]
    fn a_newer_schema_is_refused() {
        let mut connection = migrated();
        connection.pragma_update(None, "user_version", 99).unwrap();
        let refused = migrate(&mut connection, Timestamp::default()).unwrap_err();
        assert!(refused.to_string().contains("run a newer mec"));
    }

    #[test]
    fn what_is_only_appended_to_cannot_be_changed_or_deleted() {
        let connection = migrated();
        let insert = "INSERT INTO entitlements_audit VALUES ('n', zeroblob(16), zeroblob(16), 'INSERT', NULL, NULL, 'x', 0)";
        connection.execute(insert, []).unwrap();
        for change in [
            "UPDATE entitlements_audit SET changed_by = 'y'",
            "DELETE FROM entitlements_audit",
        ] {
            let refused = connection.execute(change, []).unwrap_err();
            assert!(refused.to_string().contains("append-only"), "{change}");
        }
    }
}
