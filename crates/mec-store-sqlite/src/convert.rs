//! Between rows and the core's types. A value that the schema rules out is damage, and is told as such.

use std::collections::BTreeMap;
use std::sync::Arc;

use mec_core::account::{Account, AccountStatus};
use mec_core::condition::{Condition, ConditionOp};
use mec_core::entitlement::{Entitlement, EntitlementStatus, LimitKind};
use mec_core::grant::Grant;
use mec_core::lease::Lease;
use mec_core::ledger::{Details, Event};
use mec_core::plan::{Subscription, SubscriptionStatus};
use mec_core::reservation::{GrantHold, Reservation, ReservationStatus};
use mec_core::{Code, Namespace, Quantity, Timestamp};
use rusqlite::Row;
use rusqlite::types::{FromSql, Type};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::amount;

type Sql<T> = rusqlite::Result<T>;

/// A column's value that no column of this schema may hold.
pub(crate) fn damaged(column: usize, what: &str) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, what.to_owned().into())
}

pub(crate) fn id(row: &Row<'_>, column: usize) -> Sql<Uuid> {
    row.get::<_, [u8; 16]>(column).map(Uuid::from_bytes)
}

pub(crate) fn optional_id(row: &Row<'_>, column: usize) -> Sql<Option<Uuid>> {
    Ok(row
        .get::<_, Option<[u8; 16]>>(column)?
        .map(Uuid::from_bytes))
}

pub(crate) fn at(row: &Row<'_>, column: usize) -> Sql<Timestamp> {
    row.get(column).map(Timestamp::from_micros)
}

pub(crate) fn optional_at(row: &Row<'_>, column: usize) -> Sql<Option<Timestamp>> {
    Ok(row
        .get::<_, Option<i64>>(column)?
        .map(Timestamp::from_micros))
}

pub(crate) fn code(row: &Row<'_>, column: usize) -> Sql<Code> {
    row.get::<_, String>(column).map(Code::from)
}

pub(crate) fn optional_code(row: &Row<'_>, column: usize) -> Sql<Option<Code>> {
    Ok(row.get::<_, Option<String>>(column)?.map(Code::from))
}

pub(crate) fn quantity(row: &Row<'_>, column: usize) -> Sql<Quantity> {
    row.get::<_, i64>(column)
        .map(|micros| Quantity::from_micros(i128::from(micros)))
}

pub(crate) fn optional_quantity(row: &Row<'_>, column: usize) -> Sql<Option<Quantity>> {
    Ok(row
        .get::<_, Option<i64>>(column)?
        .map(|micros| Quantity::from_micros(i128::from(micros))))
}

/// A text that names one of a closed set.
pub(crate) fn named<T>(row: &Row<'_>, column: usize, parse: impl Fn(&str) -> Option<T>) -> Sql<T> {
    let text: String = row.get(column)?;
    parse(&text).ok_or_else(|| damaged(column, &text))
}

pub(crate) fn number<T: TryFrom<i64>>(row: &Row<'_>, column: usize) -> Sql<T> {
    T::try_from(row.get::<_, i64>(column)?).map_err(|_| damaged(column, "a number out of range"))
}

fn json<T: for<'a> Deserialize<'a>>(row: &Row<'_>, column: usize) -> Sql<T> {
    let text: String = row.get(column)?;
    // What is wrong is told without the text, which an error of the reader's quotes.
    let wrong = |error: serde_json::Error| format!("JSON at column {} is wrong", error.column());
    serde_json::from_str(&text).map_err(|error| damaged(column, &wrong(error)))
}

pub(crate) fn namespace(row: &Row<'_>, column: usize) -> Sql<Namespace> {
    named(row, column, Namespace::parse)
}

pub(crate) fn optional<T: FromSql>(row: &Row<'_>, column: usize) -> Sql<Option<T>> {
    row.get(column)
}

pub(crate) fn account(row: &Row<'_>) -> Sql<Account> {
    Ok(Account {
        account_id: id(row, 0)?,
        account_type_code: code(row, 1)?,
        parent_account_id: optional_id(row, 2)?,
        external_id: optional(row, 3)?,
        display_name: optional(row, 4)?,
        email: optional(row, 5)?,
        timezone: optional(row, 6)?,
        metadata: json::<BTreeMap<String, String>>(row, 7)?,
        status: named(row, 8, AccountStatus::parse)?,
        created_at: at(row, 9)?,
        updated_at: at(row, 10)?,
    })
}

pub(crate) fn entitlement(row: &Row<'_>) -> Sql<Entitlement> {
    Ok(Entitlement {
        entitlement_id: id(row, 0)?,
        account_id: id(row, 1)?,
        resource_type_code: code(row, 2)?,
        resource_scope: optional_code(row, 3)?,
        limit_kind_code: named(row, 4, LimitKind::parse)?,
        quantity_allowed: optional_quantity(row, 5)?,
        unit_code: code(row, 6)?,
        effective_start: at(row, 7)?,
        effective_end: optional_at(row, 8)?,
        window_type_code: code(row, 9)?,
        window_anchor: optional_at(row, 10)?,
        plan_id: optional_code(row, 11)?,
        template_id: optional_id(row, 12)?,
        subscription_id: optional_id(row, 13)?,
        usage_from: optional_at(row, 14)?,
        priority: number(row, 15)?,
        status: named(row, 16, EntitlementStatus::parse)?,
        version: number(row, 17)?,
        superseded_by: optional_id(row, 18)?,
        created_at: at(row, 19)?,
        updated_at: at(row, 20)?,
        conditions: Vec::new(),
    })
}

/// The condition in three columns from the given one on.
pub(crate) fn condition(row: &Row<'_>, first: usize) -> Sql<Condition> {
    Ok(Condition {
        key: row.get(first)?,
        op: named(row, first + 1, ConditionOp::parse)?,
        value: row.get(first + 2)?,
    })
}

pub(crate) fn subscription(row: &Row<'_>) -> Sql<Subscription> {
    Ok(Subscription {
        subscription_id: id(row, 0)?,
        account_id: id(row, 1)?,
        plan_id: code(row, 2)?,
        external_id: optional(row, 3)?,
        status: named(row, 4, SubscriptionStatus::parse)?,
        quantity: number(row, 5)?,
        current_period_start: at(row, 6)?,
        current_period_end: optional_at(row, 7)?,
        cancel_at: optional_at(row, 8)?,
        created_at: at(row, 9)?,
        updated_at: at(row, 10)?,
    })
}

pub(crate) fn grant(row: &Row<'_>) -> Sql<Grant> {
    Ok(Grant {
        grant_id: id(row, 0)?,
        account_id: id(row, 1)?,
        resource_type_code: code(row, 2)?,
        resource_scope: optional_code(row, 3)?,
        window_type_code: code(row, 4)?,
        quantity: quantity(row, 5)?,
        unit_code: code(row, 6)?,
        remaining: amount::read(row, 7)?,
        priority: number(row, 9)?,
        expires_at: optional_at(row, 10)?,
        reason: optional(row, 11)?,
        voided_at: optional_at(row, 12)?,
        created_at: at(row, 13)?,
    })
}

pub(crate) fn lease(row: &Row<'_>) -> Sql<Lease> {
    Ok(Lease {
        lease_id: id(row, 0)?,
        account_id: id(row, 1)?,
        resource_type_code: code(row, 2)?,
        resource_scope: optional_code(row, 3)?,
        slots: number(row, 4)?,
        fencing_token: number(row, 5)?,
        acquired_at: at(row, 6)?,
        expires_at: at(row, 7)?,
        last_heartbeat: at(row, 8)?,
        released_at: optional_at(row, 9)?,
        session_token: optional(row, 10)?,
        session_metadata: optional(row, 11)?,
        ttl_seconds: row.get(12)?,
        decision: row.get(13)?,
    })
}

/// What of an account's grants is held back, as it stands in a column.
#[derive(Serialize, Deserialize)]
struct HeldText {
    level: Uuid,
    window_type: String,
    // Decimal text, since JSON numbers of this size are not exact everywhere.
    amount: String,
}

pub(crate) fn held_text<'a>(holds: impl IntoIterator<Item = &'a GrantHold>) -> Sql<String> {
    let texts: Vec<HeldText> = holds
        .into_iter()
        .map(|hold| HeldText {
            level: hold.level,
            window_type: hold.window_type_code.to_string(),
            amount: hold.amount.to_string(),
        })
        .collect();
    serde_json::to_string(&texts)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

pub(crate) fn held(row: &Row<'_>, column: usize) -> Sql<Vec<GrantHold>> {
    let texts: Vec<HeldText> = json(row, column)?;
    texts
        .into_iter()
        .map(|text| {
            let amount = text
                .amount
                .parse()
                .map_err(|_| damaged(column, "an amount"))?;
            Ok(GrantHold {
                level: text.level,
                window_type_code: text.window_type.into(),
                amount,
            })
        })
        .collect()
}

pub(crate) fn reservation(row: &Row<'_>) -> Sql<Reservation> {
    Ok(Reservation {
        reservation_id: id(row, 0)?,
        account_id: id(row, 1)?,
        resource_type_code: code(row, 2)?,
        resource_scope: optional_code(row, 3)?,
        quantity: quantity(row, 4)?,
        unit_code: code(row, 5)?,
        created_at: at(row, 6)?,
        expires_at: at(row, 7)?,
        status: named(row, 8, ReservationStatus::parse)?,
        event_id: optional_id(row, 9)?,
        committed_quantity: optional_quantity(row, 10)?,
        grant_holds: held(row, 11)?,
    })
}

/// An event without its details, and the factor of its unit.
pub(crate) fn event(row: &Row<'_>) -> Sql<(Event, i64)> {
    let under: Vec<u8> = row.get(14)?;
    let recorded_under = under
        .chunks_exact(16)
        .filter_map(|bytes| Uuid::from_slice(bytes).ok())
        .collect();
    let event = Event {
        namespace_id: namespace(row, 0)?,
        event_id: id(row, 1)?,
        idempotency_key: optional(row, 2)?,
        account_id: id(row, 3)?,
        resource_type_code: code(row, 4)?,
        resource_scope: optional_code(row, 5)?,
        quantity: quantity(row, 6)?,
        unit_code: code(row, 7)?,
        occurred_at: at(row, 8)?,
        period_start: optional_at(row, 9)?,
        period_end: optional_at(row, 10)?,
        corrects_event_id: optional_id(row, 11)?,
        created_at: at(row, 12)?,
        owner_account_id: id(row, 13)?,
        recorded_under,
        chain_id: id(row, 15)?,
        chain_seq: number(row, 16)?,
        chain_hash: row.get(17)?,
        details: Details::new(),
    };
    Ok((event, row.get(18)?))
}

pub(crate) fn none_if_empty(text: String) -> Option<Code> {
    (!text.is_empty()).then(|| Arc::from(text))
}
