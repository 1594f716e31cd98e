//! What a batch leaves beside its accounts' rows: heads, scopes, grace clocks, keys and decisions.

use mec_core::Code;
use mec_core::change::{GraceClock, LimitKey};
use mec_store::{DecisionRow, KeyRow, TreeCommit, key_hash};
use rusqlite::{Connection, params};

use super::Target;
use crate::error::Fault;
use crate::sql;
use crate::values::{At, Counted, Id, Millionths, or_empty, run};

pub(super) fn put_head(target: Target<'_>, tree: &TreeCommit) -> Result<(), Fault> {
    let head = &tree.head;
    let row = params![
        target.namespace.as_str(),
        Id(head.tree_id),
        Id(head.chain_id),
        Counted(head.chain_seq),
        head.chain_hash.as_slice(),
        Counted(head.fencing_token),
        At(head.last_at),
        Counted(head.version),
    ];
    if tree.is_new {
        run(target.conn, sql::TREE_INSERT, row)?;
        return Ok(());
    }
    match run(target.conn, sql::TREE_UPDATE_BY_ID, row)? {
        0 => Err(Fault::Conflict(format!(
            "the tree {} does not exist",
            head.tree_id
        ))),
        _ => Ok(()),
    }
}

pub(super) fn see_scope(target: Target<'_>, resource: &Code, scope: &Code) -> Result<(), Fault> {
    run(
        target.conn,
        sql::SCOPE_INSERT,
        params![target.namespace.as_str(), Id(target.tree), resource, scope],
    )?;
    Ok(())
}

pub(super) fn put_grace_clock(
    target: Target<'_>,
    limit: &LimitKey,
    clock: Option<GraceClock>,
) -> Result<(), Fault> {
    let namespace = target.namespace.as_str();
    let (kind, scope) = (limit.kind.as_str(), or_empty(limit.scope.as_ref()));
    match clock {
        Some(GraceClock {
            since,
            window_start,
        }) => {
            let start = window_start.map(At);
            let row = params![
                namespace,
                Id(limit.level),
                limit.resource,
                kind,
                limit.window_type,
                scope,
                At(since),
                start
            ];
            run(target.conn, sql::GRACE_CLOCK_UPSERT_BY_LIMIT, row)?;
        }
        None => {
            let key = params![
                namespace,
                Id(limit.level),
                limit.resource,
                kind,
                limit.window_type,
                scope
            ];
            run(target.conn, sql::GRACE_CLOCK_DELETE_BY_LIMIT, key)?;
        }
    }
    Ok(())
}

pub(super) fn insert_key(conn: &Connection, key: &KeyRow) -> Result<(), Fault> {
    let hash = key_hash(&key.key).to_be_bytes();
    let row = params![
        key.namespace.as_str(),
        hash.as_slice(),
        key.key,
        key.stored.rpc,
        key.stored.args_hash.as_slice(),
        key.stored.event_id.map(Id),
        key.stored.answer,
        At(key.created_at),
    ];
    run(conn, sql::KEY_INSERT, row)?;
    Ok(())
}

pub(super) fn insert_decision(conn: &Connection, decision: &DecisionRow) -> Result<(), Fault> {
    let row = params![
        decision.namespace.as_str(),
        Id(decision.decision_id),
        Id(decision.account_id),
        decision.resource_type_code,
        decision.resource_scope,
        Millionths(decision.requested_quantity),
        decision.unit_code,
        decision.decision,
        decision.code,
        decision.reason,
        decision.rule_id.map(Id),
        decision.entitlement_id.map(Id),
        decision
            .usage_at_decision
            .map(|quantity| quantity.to_string()),
        decision
            .limit_at_decision
            .map(|quantity| quantity.to_string()),
        decision.percent_used.map(|quantity| quantity.to_string()),
        decision.request_id,
        At(decision.decided_at),
    ];
    run(conn, sql::DECISION_INSERT, row)?;
    Ok(())
}
