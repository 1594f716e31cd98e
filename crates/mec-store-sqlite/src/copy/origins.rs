//! Where the rows of each neutral table come from, and in which order.

use mec_store::copy::{CopyError, ENTITLEMENTS, ENTITLEMENTS_AUDIT, Kind, Table};

use super::unknown;

/// The audit, and one row more for each entitlement that has none any longer since retention has dropped
/// it: that the copy put it there. The id of the entitlement serves as the row's, so that it is the same
/// each time.
const AUDIT: &str = "(
    SELECT namespace_id, audit_id, entitlement_id, operation, old_values, new_values, changed_by, changed_at
    FROM entitlements_audit
    UNION ALL
    SELECT namespace_id, entitlement_id, entitlement_id, 'INSERT', NULL, NULL, 'mec copy', updated_at
    FROM entitlements
    WHERE (namespace_id, entitlement_id) NOT IN (SELECT namespace_id, entitlement_id FROM entitlements_audit)
)";

/// The newest row of the audit of each entitlement: of a row with max() SQLite takes the other columns, too.
const NEWEST_AUDIT: &str = "
    SELECT namespace_id, max(audit_id) AS audit_id, entitlement_id, operation, old_values, new_values, changed_by,
        changed_at";

/// Accounts with their depth, as a parent goes before its children.
const ACCOUNTS: &str = "(
    WITH RECURSIVE placed (namespace_id, account_id, depth) AS (
        SELECT namespace_id, account_id, 0 FROM accounts WHERE parent_account_id IS NULL
        UNION ALL
        SELECT c.namespace_id, c.account_id, p.depth + 1
        FROM placed p
        JOIN accounts c ON c.namespace_id = p.namespace_id AND c.parent_account_id = p.account_id
    )
    SELECT a.*, p.depth
    FROM placed p
    JOIN accounts a ON a.namespace_id = p.namespace_id AND a.account_id = p.account_id
)";

/// The version of the rows that all namespaces share stands with those of the namespaces.
const VERSIONS: &str = "(
    SELECT namespace_id, version FROM catalogue_versions
    UNION ALL
    SELECT '*', value FROM store_meta WHERE name = 'lookups_version'
)";

/// Buckets with the names of their counters instead of the numbers.
const BUCKETS: &str = "(
    SELECT c.namespace_id, c.level_id, c.resource_type_code, c.drawn_for, c.resource_scope, b.granularity,
        b.bucket_start, b.whole, b.micros, b.counter_id
    FROM usage_buckets b
    JOIN usage_counters c ON c.counter_id = b.counter_id
)";

/// What a table is selected from, as `t`, and in which order.
pub(super) struct Origin {
    from: String,
    order: &'static str,
    /// Whether each row comes with one of the audit, as `w`.
    pub(super) audit: bool,
}

impl Origin {
    pub(super) fn of(table: &Table) -> Result<Self, CopyError> {
        let of = |from: &str, order| Self {
            from: format!("{from} t"),
            order,
            audit: false,
        };
        let own = |order| Ok(of(table.name, order));
        match table.name {
            "accounts" => Ok(of(ACCOUNTS, "t.depth, t.namespace_id, t.account_id")),
            "catalogue_versions" => Ok(of(VERSIONS, "t.namespace_id")),
            "usage_buckets" => Ok(of(BUCKETS, "t.counter_id, t.granularity, t.bucket_start")),
            name if name == ENTITLEMENTS_AUDIT.name => Ok(of(AUDIT, "t.namespace_id, t.audit_id")),
            name if name == ENTITLEMENTS.name => Ok(Self {
                from: format!(
                    "entitlements t JOIN ({NEWEST_AUDIT} FROM {AUDIT} GROUP BY namespace_id, entitlement_id) w \
                     ON w.namespace_id = t.namespace_id AND w.entitlement_id = t.entitlement_id"
                ),
                order: "t.namespace_id, t.entitlement_id",
                audit: true,
            }),
            // With a rowid, and appended only.
            "idempotency_keys" => own("t.rowid"),
            "account_types" => own("t.account_type_code"),
            "units" | "recorded_units" => own("t.unit_code"),
            "window_types" => own("t.window_type_code"),
            name => keyed(name)
                .map(|order| of(name, order))
                .ok_or_else(|| unknown(name)),
        }
    }
}

/// The key of a table of namespaces.
fn keyed(name: &str) -> Option<&'static str> {
    Some(match name {
        "resource_types" => "t.namespace_id, t.resource_type_code",
        "resource_type_allowed_units" => "t.namespace_id, t.resource_type_code, t.unit_code",
        "plans" => "t.namespace_id, t.plan_id",
        "api_keys" => "t.namespace_id, t.key_id",
        "plan_entitlement_templates" => "t.namespace_id, t.template_id",
        "control_rules" => "t.namespace_id, t.rule_id",
        "control_rule_conditions" => "t.namespace_id, t.rule_id, t.position",
        "account_external_ids" => "t.namespace_id, t.external_id, t.provider",
        "subscriptions" => "t.namespace_id, t.subscription_id",
        "entitlement_conditions" => "t.namespace_id, t.entitlement_id, t.position",
        "consumption_ledger" => "t.namespace_id, t.event_id",
        "consumption_event_details" => "t.namespace_id, t.event_id, t.detail_key",
        "grants" => "t.namespace_id, t.grant_id",
        "grant_draws" => "t.namespace_id, t.event_id, t.grant_id",
        "reservations" => "t.namespace_id, t.reservation_id",
        "concurrency_leases" => "t.namespace_id, t.lease_id",
        "control_decisions_log" => "t.namespace_id, t.decision_id",
        "trees" => "t.namespace_id, t.tree_id",
        "tree_scopes" => "t.namespace_id, t.tree_id, t.resource_type_code, t.resource_scope",
        "own_totals" => "t.namespace_id, t.level_id, t.resource_type_code, t.resource_scope",
        "open_holds" => "t.namespace_id, t.level_id, t.kind, t.hold_id",
        "grace_clocks" => {
            "t.namespace_id, t.level_id, t.resource_type_code, t.limit_kind_code, t.window_type_code, t.resource_scope"
        }
        "former_descendants" => "t.namespace_id, t.level_id, t.account_id",
        _ => return None,
    })
}

/// The rows of a table behind the first so many, in their order.
pub(super) fn select(table: &Table, origin: &Origin) -> String {
    let mut columns = named("t", table.columns);
    if origin.audit {
        columns = format!("{columns}, {}", named("w", ENTITLEMENTS_AUDIT.columns));
    }
    format!(
        "SELECT {columns} FROM {} ORDER BY {} LIMIT -1 OFFSET ?1",
        origin.from, origin.order
    )
}

/// Some columns of all rows, in any order.
pub(super) fn select_of(columns: &[(&str, Kind)], origin: &Origin) -> String {
    let columns = if columns.is_empty() {
        "1".to_owned()
    } else {
        named("t", columns)
    };
    format!("SELECT {columns} FROM {}", origin.from)
}

pub(super) fn count(table: &Table) -> Result<String, CopyError> {
    Ok(format!("SELECT count(*) FROM {}", Origin::of(table)?.from))
}

/// Columns as they are selected. An amount has two.
fn named(from: &str, columns: &[(&str, Kind)]) -> String {
    let named = columns.iter().map(|(name, kind)| match (*kind, *name) {
        (Kind::Amount, "amount") => format!("{from}.whole, {from}.micros"),
        (Kind::Amount, name) => format!("{from}.{name}_whole, {from}.{name}_micros"),
        (_, name) => format!("{from}.\"{name}\""),
    });
    named.collect::<Vec<_>>().join(", ")
}
