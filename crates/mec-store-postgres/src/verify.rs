//! Proving the database against itself: its rows, read at one moment, are handed to the proof that all
//! stores share; and the guards of what is only ever appended to must stand.

use futures_util::{StreamExt, pin_mut};
use mec_core::usage::CounterKey;
use mec_store::verify::{ChainHead, Difference, Drawn, Proof, TreeEnd, VerifyReport};
use mec_store::{CounterName, Granularity, StoreError};
use tokio::runtime::Handle;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::config::PostgresConfig;
use crate::connection::Connection;
use crate::error::Fault;
use crate::load::read;
use crate::store::at_once;
use crate::values::Columns;
use crate::{convert, sql};

/// After so many events progress is told.
const STEP: u64 = 1_000;

/// What stops a verification.
enum Stop {
    Difference(Difference),
    Fault(Fault),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<tokio_postgres::Error> for Stop {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Fault(error.into())
    }
}

impl From<Difference> for Stop {
    fn from(difference: Difference) -> Self {
        Self::Difference(difference)
    }
}

/// Reads the whole ledger, also while nodes write. `progress` is told the number of events read so far.
///
/// # Errors
/// Where the database cannot be read. A row that differs is no error: it is the report's `problem`.
pub async fn verify_since(
    config: &PostgresConfig,
    earlier: &[ChainHead],
    progress: &mut dyn FnMut(u64),
) -> Result<VerifyReport, StoreError> {
    let connection = Connection::open(config, &Handle::current()).await?;
    crate::migrate::check(&connection).await?;
    // It reads whole tables, which other plans than those of a batch do best.
    let patient = "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; \
        SET enable_seqscan = on; SET enable_hashjoin = on; SET enable_mergejoin = on";
    connection
        .client
        .batch_execute(patient)
        .await
        .map_err(Fault::from)?;
    let verified = at_once(&connection, async |connection| {
        let rows = connection
            .all(sql::RESOURCE_TYPE_SELECT_INVENTORIES, &[])
            .await?;
        let inventories = read(&rows, |row| Ok((row.namespace(0)?, row.code(1)?)))?;
        let mut proof = Proof::new(inventories, earlier);
        match compare(connection, &mut proof, progress).await {
            Ok(()) => Ok(proof.report(None)),
            Err(Stop::Difference(difference)) => Ok(proof.report(Some(difference))),
            Err(Stop::Fault(fault)) => Err(fault),
        }
    });
    Ok(verified.await?)
}

/// Hands each row of a statement on as it comes, so that no table need fit into memory.
async fn each(
    connection: &Connection,
    sql: &'static str,
    mut take: impl FnMut(&Row) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let statement = connection.statement(sql).await?;
    let no_values: [&str; 0] = [];
    let rows = connection.client.query_raw(&statement, no_values).await?;
    pin_mut!(rows);
    while let Some(row) = rows.next().await {
        take(&row?)?;
    }
    Ok(())
}

async fn compare(
    connection: &Connection,
    proof: &mut Proof<'_>,
    progress: &mut dyn FnMut(u64),
) -> Result<(), Stop> {
    let mut count = 0;
    each(connection, sql::EVENT_SELECT_ALL_BY_CHAIN, |row| {
        let (mut event, factor) = convert::event(row)?;
        event.details = row.json(19)?;
        count = proof.event(event, factor)?;
        if count.is_multiple_of(STEP) {
            progress(count);
        }
        Ok(())
    })
    .await?;
    progress(count);
    let ends = connection.all(sql::TREE_SELECT_ALL, &[]).await?;
    proof.heads(read(&ends, tree_end)?)?;
    let without_head = connection
        .first(sql::ACCOUNT_SELECT_OWNER_WITHOUT_TREE, &[])
        .await?;
    if let Some(row) = without_head {
        let (namespace, owner) = (row.namespace(0)?, row.read::<Uuid>(1)?);
        return Err(Difference(format!(
            "the tree {owner} of namespace {namespace} has no head: its row was removed"
        ))
        .into());
    }
    each(connection, sql::GRANT_DRAW_SELECT_ALL, |row| {
        proof.draw(&drawn(row)?);
        Ok(())
    })
    .await?;
    each(connection, sql::BUCKET_SELECT_ALL, |row| {
        let granularity = Granularity::parse(row.read(5)?)
            .ok_or_else(|| Fault::damaged("a granularity is unknown".to_owned()))?;
        proof.bucket(&counter(row)?, granularity, row.at(6)?, row.amount(7)?)?;
        Ok(())
    })
    .await?;
    each(connection, sql::OWN_TOTAL_SELECT_ALL, |row| {
        let own = (
            row.namespace(0)?,
            row.read(1)?,
            row.code(2)?,
            row.none_if_empty(3)?,
        );
        proof.own_total(&own, row.amount(4)?)?;
        Ok(())
    })
    .await?;
    proof.finish()?;
    guards(connection).await
}

fn tree_end(row: &Row) -> Result<TreeEnd, Fault> {
    Ok(TreeEnd {
        namespace: row.namespace(0)?,
        tree: row.read(1)?,
        chain_id: row.read(2)?,
        chain_seq: row.number(3)?,
        chain_hash: row.hash(4)?,
    })
}

fn drawn(row: &Row) -> Result<Drawn, Fault> {
    Ok(Drawn {
        namespace: row.namespace(0)?,
        level: row.read(1)?,
        resource: row.code(2)?,
        scope: row.optional_code(3)?,
        window_type: row.code(4)?,
        occurred_at: row.at(5)?,
        amount: row.amount(6)?,
    })
}

fn counter(row: &Row) -> Result<CounterName, Fault> {
    Ok(CounterName {
        namespace: row.namespace(0)?,
        level: row.read(1)?,
        key: CounterKey {
            resource: row.code(2)?,
            drawn_for: row.none_if_empty(3)?,
            scope: row.none_if_empty(4)?,
        },
    })
}

/// The triggers of what is only ever appended to stand on their tables and are switched on.
async fn guards(connection: &Connection) -> Result<(), Stop> {
    let missing = connection.first(sql::GUARD_SELECT_MISSING, &[]).await?;
    match missing {
        Some(row) => Err(Difference(format!(
            "the guard {} of {} is missing, switched off or changed: what it guards can be changed or deleted",
            row.read::<&str>(1)?,
            row.read::<&str>(0)?,
        ))
        .into()),
        None => Ok(()),
    }
}
