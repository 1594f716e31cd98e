//! How resources are related: the foreign keys, and what they mean in both directions.

use super::Resource;

/// A column that names a row of another resource, within the same namespace where both have one.
#[derive(Debug, Eq, PartialEq)]
pub struct ForeignKey {
    /// The resource whose column it is. Views of a table have its foreign keys.
    pub of: &'static str,
    /// The column.
    pub column: &'static str,
    /// The resource that it names.
    pub to: &'static str,
    /// The column of the other that it equals.
    pub to_column: &'static str,
    /// Whether it is followed only where a request names the column: another key leads to the same
    /// resource, and is what is usually meant.
    pub is_hinted: bool,
}

const fn key(
    of: &'static str,
    column: &'static str,
    to: &'static str,
    to_column: &'static str,
) -> ForeignKey {
    ForeignKey {
        of,
        column,
        to,
        to_column,
        is_hinted: false,
    }
}

const fn same(of: &'static str, column: &'static str, to: &'static str) -> ForeignKey {
    key(of, column, to, column)
}

const fn hinted(
    of: &'static str,
    column: &'static str,
    to: &'static str,
    to_column: &'static str,
) -> ForeignKey {
    ForeignKey {
        is_hinted: true,
        ..key(of, column, to, to_column)
    }
}

/// All foreign keys.
pub const FOREIGN_KEYS: &[ForeignKey] = &[
    hinted("units", "base_unit_code", "units", "unit_code"),
    key("resource_types", "default_unit_code", "units", "unit_code"),
    same(
        "resource_type_allowed_units",
        "resource_type_code",
        "resource_types",
    ),
    same("resource_type_allowed_units", "unit_code", "units"),
    same("plan_entitlement_templates", "plan_id", "plans"),
    same(
        "plan_entitlement_templates",
        "resource_type_code",
        "resource_types",
    ),
    same(
        "plan_entitlement_templates",
        "limit_kind_code",
        "limit_kinds",
    ),
    same("plan_entitlement_templates", "unit_code", "units"),
    same(
        "plan_entitlement_templates",
        "window_type_code",
        "window_types",
    ),
    same("control_rules", "resource_type_code", "resource_types"),
    same("control_rules", "limit_kind_code", "limit_kinds"),
    same("control_rules", "limit_action_code", "limit_actions"),
    same("control_rule_conditions", "rule_id", "control_rules"),
    same("accounts", "account_type_code", "account_types"),
    key("accounts", "parent_account_id", "accounts", "account_id"),
    same("account_external_ids", "account_id", "accounts"),
    same("account_hierarchy", "account_id", "accounts"),
    hinted(
        "account_hierarchy",
        "parent_account_id",
        "accounts",
        "account_id",
    ),
    hinted(
        "account_hierarchy",
        "owner_account_id",
        "accounts",
        "account_id",
    ),
    same("subscriptions", "account_id", "accounts"),
    same("subscriptions", "plan_id", "plans"),
    same("entitlements", "account_id", "accounts"),
    same("entitlements", "resource_type_code", "resource_types"),
    same("entitlements", "limit_kind_code", "limit_kinds"),
    same("entitlements", "unit_code", "units"),
    same("entitlements", "window_type_code", "window_types"),
    same("entitlements", "plan_id", "plans"),
    same("entitlements", "template_id", "plan_entitlement_templates"),
    same("entitlements", "subscription_id", "subscriptions"),
    hinted(
        "entitlements",
        "superseded_by",
        "entitlements",
        "entitlement_id",
    ),
    same("active_entitlements", "account_id", "accounts"),
    same(
        "active_entitlements",
        "resource_type_code",
        "resource_types",
    ),
    same("active_entitlements", "limit_kind_code", "limit_kinds"),
    same("active_entitlements", "unit_code", "units"),
    same("active_entitlements", "window_type_code", "window_types"),
    same("active_entitlements", "plan_id", "plans"),
    same("active_entitlements", "subscription_id", "subscriptions"),
    same("entitlement_conditions", "entitlement_id", "entitlements"),
    same("entitlements_audit", "entitlement_id", "entitlements"),
    same("consumption", "account_id", "accounts"),
    same("consumption", "resource_type_code", "resource_types"),
    same("consumption", "unit_code", "units"),
    hinted("consumption", "owner_account_id", "accounts", "account_id"),
    hinted(
        "consumption",
        "corrects_event_id",
        "consumption",
        "event_id",
    ),
    same("consumption_event_details", "event_id", "consumption"),
    same("reservations", "account_id", "accounts"),
    same("reservations", "resource_type_code", "resource_types"),
    same("reservations", "unit_code", "units"),
    same("reservations", "event_id", "consumption"),
    same("grants", "account_id", "accounts"),
    same("grants", "resource_type_code", "resource_types"),
    same("grants", "unit_code", "units"),
    same("grants", "window_type_code", "window_types"),
    same("grant_draws", "grant_id", "grants"),
    same("grant_draws", "event_id", "consumption"),
    same("concurrency_leases", "account_id", "accounts"),
    same("concurrency_leases", "resource_type_code", "resource_types"),
    same("active_leases", "account_id", "accounts"),
    same("active_leases", "resource_type_code", "resource_types"),
    same("control_decisions", "account_id", "accounts"),
    same("control_decisions", "resource_type_code", "resource_types"),
    same("control_decisions", "rule_id", "control_rules"),
    same("control_decisions", "entitlement_id", "entitlements"),
];

/// On which side of a foreign key the related rows stand.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Side {
    /// The row that the key names: one, or none.
    One,
    /// The rows whose key names this one.
    Many,
}

/// A way from one resource to another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Relation {
    /// The key that it follows.
    pub key: &'static ForeignKey,
    /// Which side of it the related rows are.
    pub side: Side,
}

impl ForeignKey {
    /// The constraint's name, as PostgreSQL makes it.
    pub fn constraint(&self) -> String {
        let is_shared = Resource::find(self.to).is_none_or(|to| !to.has_namespace());
        let namespace = if is_shared { "" } else { "namespace_id_" };
        format!("{}_{namespace}{}_fkey", self.of, self.column)
    }
}

impl Relation {
    /// The name of the related resource.
    pub fn other(&self) -> &'static str {
        match self.side {
            Side::One => self.key.to,
            Side::Many => self.key.of,
        }
    }

    /// The columns that are equal: of this resource, and of the other.
    pub fn columns(&self) -> (&'static str, &'static str) {
        match self.side {
            Side::One => (self.key.column, self.key.to_column),
            Side::Many => (self.key.to_column, self.key.column),
        }
    }
}

/// The ways from a resource to what a request names, by the name of a resource, of a foreign key's column
/// or of its constraint, and by a hint of the same kinds. More than one is ambiguous.
pub fn relations_between(from: &Resource, named: &str, hint: Option<&str>) -> Vec<Relation> {
    let is = |key: &ForeignKey, text: &str| key.column == text || key.constraint() == text;
    let mut found = Vec::new();
    for key in FOREIGN_KEYS {
        let hinted = hint.is_none_or(|hint| is(key, hint) || key.to == hint || key.of == hint);
        // Of a table that is related to itself, its own name means the rows that name this one.
        let is_self = key.of == key.to;
        let by_name = key.to == named && !is_self && (!key.is_hinted || hint.is_some());
        if key.of == from.name && hinted && (by_name || is(key, named)) {
            found.push(Relation {
                key,
                side: Side::One,
            });
        }
        let by_name = key.of == named && (!key.is_hinted || hint.is_some());
        if key.to == from.name && hinted && by_name {
            found.push(Relation {
                key,
                side: Side::Many,
            });
        }
    }
    found
}
