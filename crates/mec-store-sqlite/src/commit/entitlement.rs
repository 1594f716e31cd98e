//! Entitlements with their conditions and their audit.

use mec_core::entitlement::{Entitlement, EntitlementAudit};
use rusqlite::params;

use super::Target;
use crate::error::Fault;
use crate::sql;
use crate::values::{At, Id, Millionths, run};

pub(super) fn put(
    target: Target<'_>,
    old: Option<&Entitlement>,
    new: &Entitlement,
    audit: &EntitlementAudit,
) -> Result<(), Fault> {
    match old {
        None => write(target, sql::ENTITLEMENT_INSERT, new, None).map(|_| ())?,
        Some(old) => {
            if write(
                target,
                sql::ENTITLEMENT_UPDATE_BY_ID,
                new,
                Some(old.version),
            )? == 0
            {
                let reason = format!(
                    "the entitlement {} is not at version {}",
                    new.entitlement_id, old.version
                );
                return Err(Fault::Conflict(reason));
            }
        }
    }
    if old.is_none_or(|old| old.conditions != new.conditions) {
        put_conditions(target, new)?;
    }
    let row = params![
        target.namespace.as_str(),
        Id(audit.audit_id),
        Id(new.entitlement_id),
        audit.operation,
        old.map(to_json).transpose()?,
        to_json(new)?,
        audit.changed_by,
        At(audit.changed_at),
    ];
    run(target.conn, sql::ENTITLEMENT_AUDIT_INSERT, row)?;
    Ok(())
}

fn write(
    target: Target<'_>,
    sql: &str,
    new: &Entitlement,
    version: Option<u32>,
) -> rusqlite::Result<usize> {
    let row = params![
        target.namespace.as_str(),
        Id(new.entitlement_id),
        Id(new.account_id),
        new.resource_type_code,
        new.resource_scope,
        new.limit_kind_code.as_str(),
        new.quantity_allowed.map(Millionths),
        new.unit_code,
        At(new.effective_start),
        new.effective_end.map(At),
        new.window_type_code,
        new.window_anchor.map(At),
        new.plan_id,
        new.template_id.map(Id),
        new.subscription_id.map(Id),
        new.usage_from.map(At),
        new.priority,
        new.status.as_str(),
        new.version,
        new.superseded_by.map(Id),
        At(new.created_at),
        At(new.updated_at),
    ];
    // The update has one more parameter: the version that it replaces.
    match version {
        None => run(target.conn, sql, row),
        Some(version) => run(target.conn, sql, [row, &[&version]].concat().as_slice()),
    }
}

fn put_conditions(target: Target<'_>, new: &Entitlement) -> rusqlite::Result<()> {
    let namespace = target.namespace.as_str();
    run(
        target.conn,
        sql::ENTITLEMENT_CONDITION_DELETE_BY_ENTITLEMENT,
        params![namespace, Id(new.entitlement_id)],
    )?;
    for (position, condition) in (0_i64..).zip(&new.conditions) {
        let row = params![
            namespace,
            Id(new.entitlement_id),
            position,
            condition.key,
            condition.op.as_str(),
            condition.value,
        ];
        run(target.conn, sql::ENTITLEMENT_CONDITION_INSERT, row)?;
    }
    Ok(())
}

fn to_json(entitlement: &Entitlement) -> Result<String, Fault> {
    serde_json::to_string(entitlement).map_err(|error| Fault::Conflict(format!("audit: {error}")))
}
