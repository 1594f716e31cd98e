//! The database as the target of a copy. What is there of each table stands in `copy_marks`, in the
//! transaction of the rows; until the copy is proven nothing is served.

mod statements;

use std::collections::HashMap;

use mec_store::StoreError;
use mec_store::copy::{CopyError, Facts, Rows, Summary, TABLES, Table, Target};
use mec_store::verify::{ChainHead, VerifyReport};
use tokio::runtime::Runtime;

use crate::config::PostgresConfig;
use crate::connection::{Connection, Value};
use crate::error::Fault;
use crate::store::in_transaction;
use crate::values::Columns;
use crate::{migrate, sql, verify};

/// In `copy_marks` from the first moment of a copy to the last.
const UNFINISHED: &str = "copy.unfinished";
/// The version of the source that the copy was begun with.
const VERSION: &str = "copy.version";

/// A migrated database that is filled. Only one process fills it at a time.
pub struct PostgresTarget {
    config: PostgresConfig,
    runtime: Runtime,
    connection: Connection,
}

impl std::fmt::Debug for PostgresTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresTarget").finish_non_exhaustive()
    }
}

/// Refuses to serve a database of which a part is missing.
pub(crate) async fn refuse_unfinished(connection: &Connection) -> Result<(), StoreError> {
    // The marks are there from the first moment of a copy to the last.
    if connection
        .first(sql::COPY_STATE_SELECT, &[])
        .await?
        .is_some()
    {
        return Err(StoreError::Owned(
            "the database holds a part of an installation; run `mec copy` again to its end before it is served"
                .to_owned(),
        ));
    }
    Ok(())
}

impl PostgresTarget {
    /// Reaches the database, which nobody else may be filling.
    ///
    /// # Errors
    /// Where it cannot be reached or was not migrated, or another copy fills it.
    pub fn open(config: &PostgresConfig) -> Result<Self, CopyError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| StoreError::Internal(error.to_string(), None))?;
        let connection = runtime.block_on(prepare(config, runtime.handle()))?;
        Ok(Self {
            config: config.clone(),
            runtime,
            connection,
        })
    }
}

async fn prepare(
    config: &PostgresConfig,
    runtime: &tokio::runtime::Handle,
) -> Result<Connection, CopyError> {
    let connection = Connection::open(config, runtime).await?;
    migrate::check(&connection).await?;
    // Its name tells it from the nodes, which must not be there.
    let patient = "SET application_name = 'mec copy'; SET statement_timeout = 0;
        SET idle_in_transaction_session_timeout = 0";
    let set = connection.client.batch_execute(patient).await;
    set.map_err(Fault::from).map_err(StoreError::from)?;
    // That of a copy that was killed goes when the database notices: the lock's own timeout waits for it.
    match connection
        .first(sql::COPY_LOCK_TAKE, &[])
        .await
        .map_err(StoreError::from)
    {
        Ok(_) => Ok(connection),
        Err(StoreError::Again(_)) => Err(CopyError::Refused(
            "another `mec copy` fills this database; wait for its end".to_owned(),
        )),
        Err(error) => Err(error.into()),
    }
}

impl Target for PostgresTarget {
    fn begin(&mut self, facts: &Facts) -> Result<Vec<u64>, CopyError> {
        self.runtime.block_on(begin(&self.connection, facts))
    }

    fn put(&mut self, rows: &Rows) -> Result<(), CopyError> {
        let put = in_transaction(&self.connection, async |connection| {
            if let Some((table, json)) = &rows.also {
                let none: [Value<'_>; 1] = [json];
                connection
                    .client
                    .execute(&statements::insert(table), &none)
                    .await?;
            }
            let text: [Value<'_>; 1] = [&rows.json];
            let insert = statements::insert(rows.table);
            connection.client.execute(&insert, &text).await?;
            let count = i64::try_from(rows.count).unwrap_or(i64::MAX);
            let more: [Value<'_>; 2] = [&done(rows.table), &count];
            connection.run(sql::COPY_STATE_ADD_BY_NAME, &more).await?;
            Ok(())
        });
        Ok(self.runtime.block_on(put).map_err(StoreError::from)?)
    }

    fn summary(&mut self, table: &'static Table) -> Result<Summary, CopyError> {
        let summed = statements::summary(&self.connection, table);
        Ok(self.runtime.block_on(summed).map_err(StoreError::from)?)
    }

    fn verify(&mut self, earlier: &[ChainHead]) -> Result<VerifyReport, CopyError> {
        let mut unwatched = |_| {};
        let verified = verify::verify_since(&self.config, earlier, &mut unwatched);
        Ok(self.runtime.block_on(verified)?)
    }

    fn finish(&mut self, facts: &Facts) -> Result<(), CopyError> {
        let finished = in_transaction(&self.connection, async |connection| {
            for (name, value) in [("fencing_epoch", facts.fencing_epoch), ("seeded", 1)] {
                let row: [Value<'_>; 2] = [&name, &value];
                connection.run(sql::META_UPDATE_BY_NAME, &row).await?;
            }
            connection.run(sql::COPY_STATE_DELETE, &[]).await?;
            Ok(())
        });
        Ok(self.runtime.block_on(finished).map_err(StoreError::from)?)
    }
}

/// The name in `copy_marks` of how many rows of a table are there.
fn done(table: &Table) -> String {
    format!("copy.done.{}", table.name)
}

/// The name in `copy_marks` of how many rows of a table the source has.
fn total(table: &Table) -> String {
    format!("copy.total.{}", table.name)
}

async fn begin(connection: &Connection, facts: &Facts) -> Result<Vec<u64>, CopyError> {
    let found = connection
        .all(sql::COPY_STATE_SELECT, &[])
        .await
        .map_err(StoreError::from)?;
    let read = |row: &tokio_postgres::Row| Ok((row.read(0)?, row.read(1)?));
    let state: HashMap<String, i64> = crate::load::read(&found, read)
        .map_err(StoreError::from)?
        .into_iter()
        .collect();
    let Some(version) = state.get(VERSION) else {
        return start(connection, facts).await;
    };
    let is_same = |(table, count): (&&Table, &u64)| {
        state.get(&total(table)).copied() == i64::try_from(*count).ok()
    };
    if *version != facts.version || !TABLES.iter().zip(&facts.totals).all(is_same) {
        return Err(CopyError::Refused(
            "the database holds a part of another installation, or of this one before it was served again; \
             copy into a database that is empty"
                .to_owned(),
        ));
    }
    let count = |table: &&Table| {
        let count = state.get(&done(table)).copied().unwrap_or(0);
        u64::try_from(count).unwrap_or(0)
    };
    Ok(TABLES.iter().map(count).collect())
}

/// Marks a database that holds nothing but what a new installation begins with, and takes that out of it.
async fn start(connection: &Connection, facts: &Facts) -> Result<Vec<u64>, CopyError> {
    let held = in_transaction(connection, async |connection| {
        let held = statements::held(connection).await?;
        if held.is_none() {
            let mark: [Value<'_>; 2] = [&UNFINISHED, &1_i64];
            connection
                .run(sql::COPY_STATE_UPSERT_BY_NAME, &mark)
                .await?;
        }
        Ok(held)
    });
    if let Some(table) = held.await.map_err(StoreError::from)? {
        return Err(CopyError::Refused(format!(
            "the database holds data already (in {table}); copy into one that is empty"
        )));
    }
    // A node that connects from now on sees the mark; one that was there before is found here.
    let peer = connection.first(sql::COPY_PEER_SELECT, &[]).await;
    if peer.map_err(StoreError::from)?.is_some() {
        let unmarked = connection.run(sql::COPY_STATE_DELETE, &[]).await;
        unmarked.map_err(StoreError::from)?;
        return Err(CopyError::Refused(
            "a mec is connected to the database; stop every server on it first".to_owned(),
        ));
    }
    let begun = in_transaction(connection, async |connection| {
        statements::clear(connection).await?;
        let mut state = vec![(VERSION.to_owned(), facts.version)];
        for (table, count) in TABLES.iter().zip(&facts.totals) {
            state.push((total(table), i64::try_from(*count).unwrap_or(i64::MAX)));
            state.push((done(table), 0));
        }
        for (name, value) in &state {
            let row: [Value<'_>; 2] = [name, value];
            connection.run(sql::COPY_STATE_UPSERT_BY_NAME, &row).await?;
        }
        Ok(())
    });
    begun.await.map_err(StoreError::from)?;
    Ok(vec![0; TABLES.len()])
}
