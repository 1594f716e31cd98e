//! From rows to the core's types.

use std::collections::BTreeMap;

use mec_core::account::{Account, AccountStatus};
use mec_core::book::TreeHead;
use mec_core::condition::{Condition, ConditionOp};
use mec_core::entitlement::{Entitlement, EntitlementStatus, LimitKind};
use mec_core::grant::Grant;
use mec_core::lease::Lease;
use mec_core::ledger::{Details, Event};
use mec_core::plan::{Subscription, SubscriptionStatus};
use mec_core::reservation::{GrantHold, Reservation, ReservationStatus};
use serde::Deserialize;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::error::Fault;
use crate::values::Columns;

type Read<T> = Result<T, Fault>;

/// A head in the columns from the given one on.
pub(crate) fn head(row: &Row, first: usize) -> Read<TreeHead> {
    Ok(TreeHead {
        tree_id: row.read(first)?,
        chain_id: row.read(first + 1)?,
        chain_seq: row.number(first + 2)?,
        chain_hash: row.hash(first + 3)?,
        fencing_token: row.number(first + 4)?,
        last_at: row.at(first + 5)?,
        version: row.number(first + 6)?,
    })
}

pub(crate) fn account(row: &Row) -> Read<Account> {
    Ok(Account {
        account_id: row.read(0)?,
        account_type_code: row.code(1)?,
        parent_account_id: row.read(2)?,
        external_id: row.read(3)?,
        display_name: row.read(4)?,
        email: row.read(5)?,
        timezone: row.read(6)?,
        metadata: row.json::<BTreeMap<String, String>>(7)?,
        status: row.named(8, AccountStatus::parse)?,
        created_at: row.at(9)?,
        updated_at: row.at(10)?,
    })
}

pub(crate) fn entitlement(row: &Row) -> Read<Entitlement> {
    Ok(Entitlement {
        entitlement_id: row.read(0)?,
        account_id: row.read(1)?,
        resource_type_code: row.code(2)?,
        resource_scope: row.optional_code(3)?,
        limit_kind_code: row.named(4, LimitKind::parse)?,
        quantity_allowed: row.optional_quantity(5)?,
        unit_code: row.code(6)?,
        effective_start: row.at(7)?,
        effective_end: row.optional_at(8)?,
        window_type_code: row.code(9)?,
        window_anchor: row.optional_at(10)?,
        plan_id: row.optional_code(11)?,
        template_id: row.read(12)?,
        subscription_id: row.read(13)?,
        usage_from: row.optional_at(14)?,
        priority: row.number(15)?,
        status: row.named(16, EntitlementStatus::parse)?,
        version: row.number(17)?,
        superseded_by: row.read(18)?,
        created_at: row.at(19)?,
        updated_at: row.at(20)?,
        conditions: Vec::new(),
    })
}

/// The condition in three columns from the given one on.
pub(crate) fn condition(row: &Row, first: usize) -> Read<Condition> {
    Ok(Condition {
        key: row.read(first)?,
        op: row.named(first + 1, ConditionOp::parse)?,
        value: row.read(first + 2)?,
    })
}

pub(crate) fn subscription(row: &Row) -> Read<Subscription> {
    Ok(Subscription {
        subscription_id: row.read(0)?,
        account_id: row.read(1)?,
        plan_id: row.code(2)?,
        external_id: row.read(3)?,
        status: row.named(4, SubscriptionStatus::parse)?,
        quantity: row.number(5)?,
        current_period_start: row.at(6)?,
        current_period_end: row.optional_at(7)?,
        cancel_at: row.optional_at(8)?,
        created_at: row.at(9)?,
        updated_at: row.at(10)?,
    })
}

pub(crate) fn grant(row: &Row) -> Read<Grant> {
    Ok(Grant {
        grant_id: row.read(0)?,
        account_id: row.read(1)?,
        resource_type_code: row.code(2)?,
        resource_scope: row.optional_code(3)?,
        window_type_code: row.code(4)?,
        quantity: row.quantity(5)?,
        unit_code: row.code(6)?,
        remaining: row.amount(7)?,
        priority: row.number(8)?,
        expires_at: row.optional_at(9)?,
        reason: row.read(10)?,
        voided_at: row.optional_at(11)?,
        created_at: row.at(12)?,
    })
}

pub(crate) fn lease(row: &Row) -> Read<Lease> {
    Ok(Lease {
        lease_id: row.read(0)?,
        account_id: row.read(1)?,
        resource_type_code: row.code(2)?,
        resource_scope: row.optional_code(3)?,
        slots: row.number(4)?,
        fencing_token: row.number(5)?,
        acquired_at: row.at(6)?,
        expires_at: row.at(7)?,
        last_heartbeat: row.at(8)?,
        released_at: row.optional_at(9)?,
        session_token: row.read(10)?,
        session_metadata: row.read(11)?,
        ttl_seconds: row.read(12)?,
        decision: row.read(13)?,
    })
}

/// What of an account's grants is held back, as it stands in a column.
#[derive(Deserialize)]
struct HeldText {
    level: Uuid,
    window_type: String,
    // Decimal text, since JSON numbers of this size are not exact everywhere.
    amount: String,
}

pub(crate) fn held(row: &Row, column: usize) -> Read<Vec<GrantHold>> {
    let texts: Vec<HeldText> = row.json(column)?;
    let holds = texts.into_iter().map(|text| {
        let damaged = |_| Fault::damaged(format!("{} is no amount", text.amount));
        Ok(GrantHold {
            level: text.level,
            amount: text.amount.parse().map_err(damaged)?,
            window_type_code: text.window_type.into(),
        })
    });
    holds.collect()
}

pub(crate) fn reservation(row: &Row) -> Read<Reservation> {
    Ok(Reservation {
        reservation_id: row.read(0)?,
        account_id: row.read(1)?,
        resource_type_code: row.code(2)?,
        resource_scope: row.optional_code(3)?,
        quantity: row.quantity(4)?,
        unit_code: row.code(5)?,
        created_at: row.at(6)?,
        expires_at: row.at(7)?,
        status: row.named(8, ReservationStatus::parse)?,
        event_id: row.read(9)?,
        committed_quantity: row.optional_quantity(10)?,
        grant_holds: held(row, 11)?,
    })
}

/// An event without its details, and the factor of its unit.
pub(crate) fn event(row: &Row) -> Read<(Event, i128)> {
    let event = Event {
        namespace_id: row.namespace(0)?,
        event_id: row.read(1)?,
        idempotency_key: row.read(2)?,
        account_id: row.read(3)?,
        resource_type_code: row.code(4)?,
        resource_scope: row.optional_code(5)?,
        quantity: row.quantity(6)?,
        unit_code: row.code(7)?,
        occurred_at: row.at(8)?,
        period_start: row.optional_at(9)?,
        period_end: row.optional_at(10)?,
        corrects_event_id: row.read(11)?,
        created_at: row.at(12)?,
        owner_account_id: row.read(13)?,
        recorded_under: row.read::<Vec<Uuid>>(14)?.into_iter().collect(),
        chain_id: row.read(15)?,
        chain_seq: row.number(16)?,
        chain_hash: row.hash(17)?,
        details: Details::new(),
    };
    Ok((event, i128::from(row.read::<i64>(18)?)))
}
