//! Grants and what events draw from them.

use mec_core::grant::{Draw, Grant};
use rusqlite::params;
use uuid::Uuid;

use super::Target;
use crate::amount::split;
use crate::error::Fault;
use crate::sql;
use crate::values::{At, Id, Millionths, run};

pub(super) fn put(target: Target<'_>, grant: &Grant) -> Result<(), Fault> {
    let (whole, micros) = split(grant.remaining).ok_or(Fault::Overflow)?;
    let row = params![
        target.namespace.as_str(),
        Id(grant.grant_id),
        Id(grant.account_id),
        grant.resource_type_code,
        grant.resource_scope,
        grant.window_type_code,
        Millionths(grant.quantity),
        grant.unit_code,
        whole,
        micros,
        grant.priority,
        grant.expires_at.map(At),
        grant.reason,
        grant.voided_at.map(At),
        At(grant.created_at),
    ];
    // Two statements, since an upsert of a row that others refer to looks for those on every insert.
    if run(target.conn, sql::GRANT_UPDATE_BY_ID, row)? == 0 {
        run(target.conn, sql::GRANT_INSERT, row)?;
    }
    Ok(())
}

pub(super) fn draw(
    target: Target<'_>,
    event_id: Uuid,
    draw: &Draw,
    remaining: i128,
) -> Result<(), Fault> {
    let namespace = target.namespace.as_str();
    let (whole, micros) = split(draw.amount).ok_or(Fault::Overflow)?;
    let row = params![namespace, Id(event_id), Id(draw.grant_id), whole, micros];
    run(target.conn, sql::GRANT_DRAW_UPSERT_BY_EVENT, row)?;
    let (whole, micros) = split(remaining).ok_or(Fault::Overflow)?;
    match run(
        target.conn,
        sql::GRANT_UPDATE_REMAINING_BY_ID,
        params![namespace, Id(draw.grant_id), whole, micros],
    )? {
        0 => Err(Fault::Conflict(format!(
            "the grant {} does not exist",
            draw.grant_id
        ))),
        _ => Ok(()),
    }
}
