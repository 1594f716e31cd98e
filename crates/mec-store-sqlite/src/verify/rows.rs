//! Reading what is to be proven, in the order that the proof asks for.

use mec_core::usage::CounterKey;
use mec_core::{Code, Namespace};
use mec_store::verify::{Difference, Drawn, Proof, TreeEnd};
use mec_store::{CounterName, Granularity};
use rusqlite::{Connection, Row};
use uuid::Uuid;

use super::Stop;
use crate::convert::{
    self, at, code, damaged, id, namespace, none_if_empty, number, optional_code,
};
use crate::values::{all, first};
use crate::{amount, load, sql};

/// After so many events progress is told.
const STEP: u64 = 1_000;

pub(super) fn inventories(connection: &Connection) -> rusqlite::Result<Vec<(Namespace, Code)>> {
    let read = |row: &Row<'_>| Ok((namespace(row, 0)?, code(row, 1)?));
    all(connection, sql::RESOURCE_TYPE_SELECT_INVENTORIES, [], read)
}

pub(super) fn events(
    connection: &Connection,
    proof: &mut Proof<'_>,
    progress: &mut dyn FnMut(u64),
) -> Result<(), Stop> {
    let mut statement = connection.prepare_cached(sql::EVENT_SELECT_ALL_BY_CHAIN)?;
    let mut rows = statement.query([])?;
    let mut count = 0;
    while let Some(row) = rows.next()? {
        let (mut event, factor) = convert::event(row)?;
        event.details = load::details(connection, &event)?;
        count = proof.event(event, i128::from(factor))?;
        if count.is_multiple_of(STEP) {
            progress(count);
        }
    }
    progress(count);
    Ok(())
}

pub(super) fn heads(connection: &Connection, proof: &mut Proof<'_>) -> Result<(), Stop> {
    let read = |row: &Row<'_>| {
        Ok(TreeEnd {
            namespace: namespace(row, 0)?,
            tree: id(row, 1)?,
            chain_id: id(row, 2)?,
            chain_seq: number(row, 3)?,
            chain_hash: row.get(4)?,
        })
    };
    proof.heads(all(connection, sql::TREE_SELECT_ALL, [], read)?)?;
    let without_head = first(
        connection,
        sql::ACCOUNT_SELECT_OWNER_WITHOUT_TREE,
        [],
        |row| Ok((row.get::<_, String>(0)?, id(row, 1)?)),
    )?;
    match without_head {
        Some((namespace, owner)) => Err(Difference(format!(
            "the tree {owner} of namespace {namespace} has no head: its row was removed"
        ))
        .into()),
        None => Ok(()),
    }
}

pub(super) fn draws(connection: &Connection, proof: &mut Proof<'_>) -> Result<(), Stop> {
    let mut statement = connection.prepare_cached(sql::GRANT_DRAW_SELECT_ALL)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        proof.draw(&Drawn {
            namespace: namespace(row, 0)?,
            level: id(row, 1)?,
            resource: code(row, 2)?,
            scope: optional_code(row, 3)?,
            window_type: code(row, 4)?,
            occurred_at: at(row, 5)?,
            amount: amount::read(row, 6)?,
        });
    }
    Ok(())
}

pub(super) fn buckets(connection: &Connection, proof: &mut Proof<'_>) -> Result<(), Stop> {
    let mut statement = connection.prepare_cached(sql::BUCKET_SELECT_ALL)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let granularity =
            Granularity::parse(row.get(6)?).ok_or_else(|| damaged(6, "a granularity"))?;
        proof.bucket(
            &counter(row)?,
            granularity,
            at(row, 7)?,
            amount::read(row, 8)?,
        )?;
    }
    Ok(())
}

fn counter(row: &Row<'_>) -> rusqlite::Result<CounterName> {
    let key = CounterKey {
        resource: code(row, 3)?,
        scope: none_if_empty(row.get(4)?),
        drawn_for: none_if_empty(row.get(5)?),
    };
    Ok(CounterName {
        namespace: namespace(row, 1)?,
        level: id(row, 2)?,
        key,
    })
}

pub(super) fn own_totals(connection: &Connection, proof: &mut Proof<'_>) -> Result<(), Stop> {
    let mut statement = connection.prepare_cached(sql::OWN_TOTAL_SELECT_ALL)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let account: Uuid = id(row, 1)?;
        let scope = none_if_empty(row.get(3)?);
        let own = (namespace(row, 0)?, account, code(row, 2)?, scope);
        proof.own_total(&own, amount::read(row, 4)?)?;
    }
    Ok(())
}
