//! Rows as JSON objects by their columns. PostgreSQL reads them by the types of its tables, so that no
//! number passes through binary fractions: quantities are texts.

use mec_core::account::Account;
use mec_core::change::{GraceClock, LimitKey};
use mec_core::entitlement::Entitlement;
use mec_core::grant::Grant;
use mec_core::lease::Lease;
use mec_core::plan::Subscription;
use mec_core::reservation::{GrantHold, Reservation};
use mec_core::{AccountId, Namespace, Quantity, Timestamp};
use mec_store::{DecisionRow, TreeCommit};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::fold::{AuditRow, FoldedAccount, FoldedEntitlement, HoldRow};
use crate::values::decimal;

pub(crate) fn time(at: Timestamp) -> Json {
    at.to_canonical().into()
}

fn optional_time(at: Option<Timestamp>) -> Json {
    at.map_or(Json::Null, time)
}

fn quantity(quantity: Quantity) -> Json {
    quantity.to_string().into()
}

pub(crate) fn optional_quantity(wanted: Option<Quantity>) -> Json {
    wanted.map_or(Json::Null, quantity)
}

fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().map(|byte| format!("{byte:02x}"));
    std::iter::once("\\x".to_owned()).chain(digits).collect()
}

/// An array of ids as PostgreSQL writes it.
pub(crate) fn uuids(ids: &[Uuid]) -> String {
    let texts: Vec<String> = ids.iter().map(ToString::to_string).collect();
    format!("{{{}}}", texts.join(","))
}

pub(crate) fn account(ns: &Namespace, row: &FoldedAccount) -> Json {
    let Account {
        account_id,
        account_type_code,
        parent_account_id,
        external_id,
        display_name,
        email,
        timezone,
        metadata,
        status,
        created_at,
        updated_at,
    } = &*row.account;
    json!({
        "namespace_id": ns, "account_id": account_id, "account_type_code": account_type_code,
        "parent_account_id": parent_account_id, "owner_account_id": row.tree, "has_had_children": false,
        "external_id": external_id, "display_name": display_name, "email": email, "timezone": timezone,
        "metadata": metadata, "status": status.as_str(), "created_at": time(*created_at),
        "updated_at": time(*updated_at),
    })
}

pub(crate) fn subscription(ns: &Namespace, row: &Subscription) -> Json {
    json!({
        "namespace_id": ns, "subscription_id": row.subscription_id, "account_id": row.account_id,
        "plan_id": row.plan_id, "external_id": row.external_id, "status": row.status.as_str(),
        "quantity": row.quantity, "current_period_start": time(row.current_period_start),
        "current_period_end": optional_time(row.current_period_end),
        "cancel_at": optional_time(row.cancel_at), "created_at": time(row.created_at),
        "updated_at": time(row.updated_at),
    })
}

pub(crate) fn entitlement(ns: &Namespace, row: &FoldedEntitlement) -> Json {
    let new = &row.new;
    json!({
        "namespace_id": ns, "entitlement_id": new.entitlement_id, "account_id": new.account_id,
        "resource_type_code": new.resource_type_code, "resource_scope": new.resource_scope,
        "limit_kind_code": new.limit_kind_code.as_str(),
        "quantity_allowed": optional_quantity(new.quantity_allowed), "unit_code": new.unit_code,
        "effective_start": time(new.effective_start), "effective_end": optional_time(new.effective_end),
        "window_type_code": new.window_type_code, "window_anchor": optional_time(new.window_anchor),
        "plan_id": new.plan_id, "template_id": new.template_id, "subscription_id": new.subscription_id,
        "usage_from": optional_time(new.usage_from), "priority": new.priority,
        "status": new.status.as_str(), "version": new.version, "superseded_by": new.superseded_by,
        "created_at": time(new.created_at), "updated_at": time(new.updated_at),
        "replaces": row.replaces,
    })
}

pub(crate) fn conditions(ns: &Namespace, of: &Entitlement) -> Vec<Json> {
    let conditions = of.conditions.iter().enumerate();
    conditions
        .map(|(position, condition)| {
            json!({
                "namespace_id": ns, "entitlement_id": of.entitlement_id, "position": position,
                "condition_key": condition.key, "condition_op": condition.op.as_str(),
                "condition_value": condition.value,
            })
        })
        .collect()
}

pub(crate) fn audit(row: &AuditRow) -> Json {
    json!({
        "namespace_id": row.namespace, "audit_id": row.audit.audit_id,
        "entitlement_id": row.new.entitlement_id, "operation": row.audit.operation,
        "old_values": row.old.as_deref(), "new_values": &*row.new, "changed_by": row.audit.changed_by,
        "changed_at": time(row.audit.changed_at),
    })
}

pub(crate) fn grant(ns: &Namespace, row: &Grant) -> Json {
    json!({
        "namespace_id": ns, "grant_id": row.grant_id, "account_id": row.account_id,
        "resource_type_code": row.resource_type_code, "resource_scope": row.resource_scope,
        "window_type_code": row.window_type_code, "quantity": quantity(row.quantity),
        "unit_code": row.unit_code, "remaining": decimal(row.remaining), "priority": row.priority,
        "expires_at": optional_time(row.expires_at), "reason": row.reason,
        "voided_at": optional_time(row.voided_at), "created_at": time(row.created_at),
    })
}

/// What of grants is held, as it stands in a column.
pub(crate) fn held<'a>(holds: impl IntoIterator<Item = &'a GrantHold>) -> Json {
    let holds = holds.into_iter().map(|hold| {
        json!({
            "level": hold.level, "window_type": hold.window_type_code, "amount": hold.amount.to_string(),
        })
    });
    holds.collect()
}

pub(crate) fn reservation(ns: &Namespace, row: &Reservation) -> Json {
    json!({
        "namespace_id": ns, "reservation_id": row.reservation_id, "account_id": row.account_id,
        "resource_type_code": row.resource_type_code, "resource_scope": row.resource_scope,
        "quantity": quantity(row.quantity), "unit_code": row.unit_code, "created_at": time(row.created_at),
        "expires_at": time(row.expires_at), "status": row.status.as_str(), "event_id": row.event_id,
        "committed_quantity": optional_quantity(row.committed_quantity),
        "grant_holds": held(&row.grant_holds),
    })
}

pub(crate) fn lease(ns: &Namespace, row: &Lease) -> Json {
    json!({
        "namespace_id": ns, "lease_id": row.lease_id, "account_id": row.account_id,
        "resource_type_code": row.resource_type_code, "resource_scope": row.resource_scope,
        "slots": row.slots, "fencing_token": row.fencing_token, "acquired_at": time(row.acquired_at),
        "expires_at": time(row.expires_at), "last_heartbeat": time(row.last_heartbeat),
        "released_at": optional_time(row.released_at), "session_token": row.session_token,
        "session_metadata": row.session_metadata, "ttl_seconds": row.ttl_seconds,
        "decision": row.decision, "created_at": time(row.acquired_at),
    })
}

pub(crate) fn hold(
    (ns, level, kind, id): &(Namespace, AccountId, i64, Uuid),
    row: &HoldRow,
) -> Json {
    json!({
        "namespace_id": ns, "level_id": level, "kind": kind, "hold_id": id, "tree_id": row.tree,
        "resource_type_code": row.resource, "resource_scope": row.scope, "amount": decimal(row.amount),
        "created_at": time(row.created_at), "expires_at": time(row.expires_at), "grants": held(&row.grants),
    })
}

pub(crate) fn grace_clock(ns: &Namespace, limit: &LimitKey, clock: &GraceClock) -> Json {
    json!({
        "namespace_id": ns, "level_id": limit.level, "resource_type_code": limit.resource,
        "limit_kind_code": limit.kind.as_str(), "window_type_code": limit.window_type,
        "resource_scope": limit.scope.as_deref().unwrap_or_default(), "since": time(clock.since),
        "window_start": optional_time(clock.window_start),
    })
}

pub(crate) fn head(tree: &TreeCommit) -> Json {
    let head = &tree.head;
    json!({
        "namespace_id": tree.namespace, "tree_id": head.tree_id, "chain_id": head.chain_id,
        "chain_seq": head.chain_seq, "chain_hash": hex(&head.chain_hash),
        "fencing_token": head.fencing_token, "last_at": time(head.last_at), "version": head.version,
    })
}

pub(crate) fn decision(row: &DecisionRow) -> Json {
    json!({
        "namespace_id": row.namespace, "decision_id": row.decision_id, "account_id": row.account_id,
        "resource_type_code": row.resource_type_code, "resource_scope": row.resource_scope,
        "requested_quantity": quantity(row.requested_quantity), "unit_code": row.unit_code,
        "decision": row.decision, "code": row.code, "reason": row.reason, "rule_id": row.rule_id,
        "entitlement_id": row.entitlement_id,
        "usage_at_decision": optional_quantity(row.usage_at_decision),
        "limit_at_decision": optional_quantity(row.limit_at_decision),
        "percent_used": optional_quantity(row.percent_used), "request_id": row.request_id.as_deref(),
        "decided_at": time(row.decided_at),
    })
}
