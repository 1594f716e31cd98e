//! Every relation, and which of its rows belong to what a caller sees.

/// What a caller is to see.
pub enum Sight {
    Anonymous,
    Namespace(String),
    Below(String, String),
    Everything,
}

impl Sight {
    pub fn anonymous() -> Self {
        Self::Anonymous
    }

    pub fn namespace(namespace: &str) -> Self {
        Self::Namespace(namespace.to_owned())
    }

    pub fn below(namespace: &str, account: &str) -> Self {
        Self::Below(namespace.to_owned(), account.to_owned())
    }

    pub fn everything() -> Self {
        Self::Everything
    }

    /// The condition on a row of this namespace.
    fn namespace_of(&self, row: &str) -> Option<String> {
        match self {
            Self::Anonymous => None,
            Self::Namespace(namespace) | Self::Below(namespace, _) => {
                Some(format!("{row}.namespace_id = '{namespace}'"))
            }
            Self::Everything => Some("true".to_owned()),
        }
    }

    /// The condition on a row of this account; the tree has two levels below its owner.
    fn account_of(&self, row: &str, column: &str) -> Option<String> {
        let mut condition = self.namespace_of(row)?;
        if let Self::Below(namespace, account) = self {
            condition += &format!(
                " AND {row}.{column} IN (SELECT a.account_id FROM mec.accounts a
                    LEFT JOIN mec.accounts p ON p.namespace_id = a.namespace_id AND p.account_id = a.parent_account_id
                    WHERE a.namespace_id = '{namespace}'
                        AND '{account}' IN (a.account_id, p.account_id, p.parent_account_id))"
            );
        }
        Some(condition)
    }
}

/// Whose the rows of a relation are.
pub enum Kind {
    /// Everybody's.
    Shared,
    /// The namespace's, and without a token the active ones of the first namespace.
    Plans,
    /// The namespace's.
    Catalogue,
    /// The account's in this column.
    Account(&'static str),
    /// That of a row of another table, found by a column here and one there.
    Through(&'static [(&'static str, &'static str, &'static str)]),
    /// Nobody's but the service's.
    Closed,
}

pub struct Relation {
    pub name: &'static str,
    /// What is compared.
    pub columns: &'static str,
    kind: Kind,
}

impl Relation {
    /// The condition on the rows that are seen; none where even asking is refused.
    pub fn rows(&self, sight: &Sight) -> Option<String> {
        match self.kind {
            Kind::Shared => Some("true".to_owned()),
            Kind::Plans => Some(sight.namespace_of("t").unwrap_or_else(|| {
                "t.namespace_id = 'default' AND t.status = 'active'".to_owned()
            })),
            Kind::Catalogue => sight.namespace_of("t"),
            Kind::Account(column) => sight.account_of("t", column),
            Kind::Through(ways) => {
                let account = sight.account_of("o", "account_id")?;
                let ways = ways.iter().map(|(own, table, other)| {
                    format!(
                        "EXISTS (SELECT FROM mec.{table} o WHERE o.namespace_id = t.namespace_id
                            AND o.{other} = t.{own} AND {account})"
                    )
                });
                Some(ways.collect::<Vec<_>>().join(" OR "))
            }
            Kind::Closed => None,
        }
    }
}

const fn row(name: &'static str, kind: Kind) -> Relation {
    Relation {
        name,
        columns: "t",
        kind,
    }
}

const fn part(name: &'static str, columns: &'static str, kind: Kind) -> Relation {
    Relation {
        name,
        columns,
        kind,
    }
}

const ACCOUNT: Kind = Kind::Account("account_id");
const OF_ENTITLEMENT: Kind = Kind::Through(&[("entitlement_id", "entitlements", "entitlement_id")]);
const OF_EVENT: Kind = Kind::Through(&[("event_id", "consumption_ledger", "event_id")]);
const OF_GRANT: Kind = Kind::Through(&[("grant_id", "grants", "grant_id")]);
const OF_KEY: Kind = Kind::Through(&[
    ("event_id", "consumption_ledger", "event_id"),
    ("event_id", "reservations", "reservation_id"),
]);

pub const RELATIONS: &[Relation] = &[
    row("api.account_types", Kind::Shared),
    row("api.units", Kind::Shared),
    row("api.limit_kinds", Kind::Shared),
    row("api.window_types", Kind::Shared),
    row("api.limit_actions", Kind::Shared),
    row("api.resource_types", Kind::Catalogue),
    row("api.resource_type_allowed_units", Kind::Catalogue),
    row("api.plans", Kind::Plans),
    row("api.plan_entitlement_templates", Kind::Catalogue),
    row("api.control_rules", Kind::Catalogue),
    row("api.control_rule_conditions", Kind::Catalogue),
    row("api.accounts", ACCOUNT),
    row("api.account_external_ids", ACCOUNT),
    // The names above what is seen are left out, which has a test of its own.
    part(
        "api.account_hierarchy",
        "t.namespace_id, t.account_id, t.display_name",
        ACCOUNT,
    ),
    row("api.subscriptions", ACCOUNT),
    row("api.consumption", ACCOUNT),
    row("api.consumption_event_details", OF_EVENT),
    row("api.reservations", ACCOUNT),
    row("api.grants", ACCOUNT),
    row("api.grant_draws", OF_GRANT),
    row("api.entitlements", ACCOUNT),
    row("api.entitlement_conditions", OF_ENTITLEMENT),
    row("api.entitlements_audit", OF_ENTITLEMENT),
    row("api.active_entitlements", ACCOUNT),
    row("api.concurrency_leases", ACCOUNT),
    // What is left of it changes from moment to moment.
    part(
        "api.active_leases",
        "t.namespace_id, t.lease_id, t.account_name",
        ACCOUNT,
    ),
    row("api.control_decisions", ACCOUNT),
    row("mec.account_types", Kind::Shared),
    row("mec.units", Kind::Shared),
    row("mec.limit_kinds", Kind::Shared),
    row("mec.window_types", Kind::Shared),
    row("mec.limit_actions", Kind::Shared),
    row("mec.resource_types", Kind::Catalogue),
    row("mec.resource_type_allowed_units", Kind::Catalogue),
    row("mec.plans", Kind::Plans),
    row("mec.plan_entitlement_templates", Kind::Catalogue),
    row("mec.control_rules", Kind::Catalogue),
    row("mec.control_rule_conditions", Kind::Catalogue),
    row("mec.accounts", ACCOUNT),
    row("mec.account_external_ids", ACCOUNT),
    row("mec.subscriptions", ACCOUNT),
    part(
        "mec.consumption_ledger",
        "t.namespace_id, t.event_id, t.account_id, t.quantity, t.chain_hash",
        ACCOUNT,
    ),
    row("mec.consumption_event_details", OF_EVENT),
    row("mec.reservations", ACCOUNT),
    row("mec.grants", ACCOUNT),
    row("mec.grant_draws", OF_GRANT),
    row("mec.entitlements", ACCOUNT),
    row("mec.entitlement_conditions", OF_ENTITLEMENT),
    row("mec.entitlements_audit", OF_ENTITLEMENT),
    row("mec.concurrency_leases", ACCOUNT),
    row("mec.control_decisions_log", ACCOUNT),
    part(
        "mec.idempotency_keys",
        "t.namespace_id, t.rpc, t.event_id, t.answer, t.created_at",
        OF_KEY,
    ),
    row("mec.usage_buckets", Kind::Account("level_id")),
    row("mec.store_meta", Kind::Closed),
    row("mec.copy_marks", Kind::Closed),
    row("mec.catalogue_versions", Kind::Closed),
    row("mec.api_keys", Kind::Closed),
    row("mec.trees", Kind::Closed),
    row("mec.tree_scopes", Kind::Closed),
    row("mec.tree_log", Kind::Closed),
    row("mec.own_totals", Kind::Closed),
    row("mec.open_holds", Kind::Closed),
    row("mec.grace_clocks", Kind::Closed),
    row("mec.former_descendants", Kind::Closed),
    row("mec.recorded_units", Kind::Closed),
    row("mec.writers", Kind::Closed),
    row("mec.decisions_logged", ACCOUNT),
    row("mec.decisions_of_consume", ACCOUNT),
    row("mec.decisions_of_reserve", ACCOUNT),
    row("mec.decisions_of_acquire", ACCOUNT),
    row("mec.units_named", Kind::Closed),
    row("mec.units_in_use", Kind::Closed),
    row("mec.window_types_in_use", Kind::Closed),
    row("mec.account_types_in_use", Kind::Closed),
];
