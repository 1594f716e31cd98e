//! Reservations and leases, and the row that each has at every level while it holds something.

use mec_core::lease::Lease;
use mec_core::reservation::{Reservation, ReservationStatus};
use mec_core::{AccountId, Code, Quantity, Timestamp};
use rusqlite::params;
use uuid::Uuid;

use super::Target;
use crate::amount::split;
use crate::convert::held_text;
use crate::error::Fault;
use crate::sql;
use crate::values::{At, Counted, Id, Millionths, run};

/// The numbers of `open_holds.kind`.
pub(crate) const LEASE: i64 = 0;
pub(crate) const RESERVATION: i64 = 1;

pub(super) fn put_reservation(
    target: Target<'_>,
    reservation: &Reservation,
    amount: i128,
    levels: &[AccountId],
) -> Result<(), Fault> {
    let row = params![
        target.namespace.as_str(),
        Id(reservation.reservation_id),
        Id(reservation.account_id),
        reservation.resource_type_code,
        reservation.resource_scope,
        Millionths(reservation.quantity),
        reservation.unit_code,
        At(reservation.created_at),
        At(reservation.expires_at),
        reservation.status.as_str(),
        reservation.event_id.map(Id),
        reservation.committed_quantity.map(Millionths),
        held_text(&reservation.grant_holds)?,
    ];
    run(target.conn, sql::RESERVATION_UPSERT_BY_ID, row)?;
    let held = Held {
        kind: RESERVATION,
        id: reservation.reservation_id,
        resource: &reservation.resource_type_code,
        scope: reservation.resource_scope.as_ref(),
        amount,
        created_at: reservation.created_at,
        expires_at: reservation.expires_at,
    };
    for level in levels {
        if reservation.status == ReservationStatus::Open {
            let own = reservation
                .grant_holds
                .iter()
                .filter(|hold| hold.level == *level);
            put(target, *level, &held, &held_text(own)?)?;
        } else {
            delete(target, *level, &held)?;
        }
    }
    Ok(())
}

pub(super) fn put_lease(
    target: Target<'_>,
    lease: &Lease,
    levels: &[AccountId],
) -> Result<(), Fault> {
    let row = params![
        target.namespace.as_str(),
        Id(lease.lease_id),
        Id(lease.account_id),
        lease.resource_type_code,
        lease.resource_scope,
        lease.slots,
        Counted(lease.fencing_token),
        At(lease.acquired_at),
        At(lease.expires_at),
        At(lease.last_heartbeat),
        lease.released_at.map(At),
        lease.session_token,
        lease.session_metadata,
        lease.ttl_seconds,
        lease.decision,
    ];
    run(target.conn, sql::LEASE_UPSERT_BY_ID, row)?;
    let held = Held {
        kind: LEASE,
        id: lease.lease_id,
        resource: &lease.resource_type_code,
        scope: lease.resource_scope.as_ref(),
        amount: Quantity::from_int(i64::from(lease.slots)).micros(),
        created_at: lease.acquired_at,
        expires_at: lease.expires_at,
    };
    for level in levels {
        match lease.released_at {
            None => put(target, *level, &held, "[]")?,
            Some(_) => delete(target, *level, &held)?,
        }
    }
    Ok(())
}

/// Deletes holds of the tree that ended before its last command, at least as many as were added.
/// The tree's own time never goes back, so nothing that still counts can go; the store's clock could.
pub(super) fn delete_ended(
    target: Target<'_>,
    last_at: Timestamp,
    added: usize,
) -> Result<(), Fault> {
    let most = i64::try_from(added)
        .unwrap_or(i64::MAX)
        .saturating_mul(2)
        .saturating_add(16);
    run(
        target.conn,
        sql::OPEN_HOLD_DELETE_BY_EXPIRY,
        params![
            target.namespace.as_str(),
            Id(target.tree),
            At(last_at),
            most
        ],
    )?;
    Ok(())
}

struct Held<'a> {
    kind: i64,
    id: Uuid,
    resource: &'a Code,
    scope: Option<&'a Code>,
    amount: i128,
    created_at: Timestamp,
    expires_at: Timestamp,
}

fn put(target: Target<'_>, level: AccountId, held: &Held<'_>, grants: &str) -> Result<(), Fault> {
    let (whole, micros) = split(held.amount).ok_or(Fault::Overflow)?;
    let row = params![
        target.namespace.as_str(),
        Id(level),
        held.kind,
        Id(held.id),
        Id(target.tree),
        held.resource,
        held.scope,
        whole,
        micros,
        At(held.created_at),
        At(held.expires_at),
        grants,
    ];
    run(target.conn, sql::OPEN_HOLD_UPSERT_BY_LEVEL, row)?;
    Ok(())
}

fn delete(target: Target<'_>, level: AccountId, held: &Held<'_>) -> Result<(), Fault> {
    let key = params![target.namespace.as_str(), Id(level), held.kind, Id(held.id)];
    run(target.conn, sql::OPEN_HOLD_DELETE_BY_LEVEL, key)?;
    Ok(())
}
