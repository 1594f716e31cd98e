//! Events and their details.

use mec_core::ledger::Event;
use rusqlite::params;

use super::Target;
use crate::error::Fault;
use crate::sql;
use crate::values::{At, Counted, Id, Millionths, run};

pub(super) fn insert(target: Target<'_>, event: &Event) -> Result<(), Fault> {
    if event.namespace_id != *target.namespace {
        return Err(Fault::Conflict(format!(
            "the event {} is of another namespace",
            event.event_id
        )));
    }
    let recorded_under: Vec<u8> = event
        .recorded_under
        .iter()
        .flat_map(|level| level.into_bytes())
        .collect();
    let row = params![
        target.namespace.as_str(),
        Id(event.event_id),
        event.idempotency_key,
        Id(event.account_id),
        event.resource_type_code,
        event.resource_scope,
        Millionths(event.quantity),
        event.unit_code,
        At(event.occurred_at),
        event.period_start.map(At),
        event.period_end.map(At),
        event.corrects_event_id.map(Id),
        At(event.created_at),
        Id(event.owner_account_id),
        recorded_under,
        Id(event.chain_id),
        Counted(event.chain_seq),
        event.chain_hash.as_slice(),
    ];
    run(target.conn, sql::EVENT_INSERT, row)?;
    for (key, value) in &event.details {
        run(
            target.conn,
            sql::EVENT_DETAIL_INSERT,
            params![target.namespace.as_str(), Id(event.event_id), key, value],
        )?;
    }
    Ok(())
}
