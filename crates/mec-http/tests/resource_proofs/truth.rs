//! What there is and who may see it, worked out from the contract's words and not from the schema's.

use std::collections::{BTreeMap, BTreeSet};

use mec_http::Role;
use mec_query::schema::{RESOURCES, Resource, Source};
use serde_json::Value;
use uuid::Uuid;

use super::world::{Caller, NAMESPACES, World};

/// What everybody may read; the rest takes a token.
const LOOKUPS: [&str; 5] = [
    "account_types",
    "units",
    "limit_kinds",
    "window_types",
    "limit_actions",
];
/// What belongs to the namespace as a whole.
const CATALOGUE: [&str; 6] = [
    "resource_types",
    "resource_type_allowed_units",
    "plans",
    "plan_entitlement_templates",
    "control_rules",
    "control_rule_conditions",
];
/// What belongs to the account of another row: the column that names it, and where it stands.
const THROUGH: [(&str, &str, &str); 4] = [
    ("entitlement_conditions", "entitlement_id", "entitlements"),
    ("entitlements_audit", "entitlement_id", "entitlements"),
    ("consumption_event_details", "event_id", "consumption"),
    ("grant_draws", "grant_id", "grants"),
];

/// What the stores hold; the rest is worked out for accounts that are named.
pub fn stored() -> impl Iterator<Item = &'static Resource> {
    let is_stored = |resource: &&Resource| resource.source != Source::Engine;
    RESOURCES.iter().filter(is_stored)
}

/// All rows of both namespaces.
pub struct Truth {
    rows: BTreeMap<(&'static str, &'static str), Vec<Value>>,
}

/// A row without what changes from moment to moment.
pub fn still(mut row: Value) -> Value {
    if let Some(columns) = row.as_object_mut() {
        columns.remove("seconds_until_expiry");
    }
    row
}

/// Rows in an order of their own.
pub fn sorted(rows: impl IntoIterator<Item = Value>) -> Vec<String> {
    let mut texts: Vec<String> = rows.into_iter().map(|row| still(row).to_string()).collect();
    texts.sort();
    texts
}

impl Truth {
    /// Reads them as each namespace's service, and counts them in the database itself.
    pub async fn read(world: &World) -> Self {
        let mut rows = BTreeMap::new();
        for namespace in NAMESPACES {
            let service = Caller::service(namespace);
            for resource in stored() {
                let name = resource.name;
                let found = world.rows(&service, &format!("/api/{name}")).await;
                let relation = world.database.relation(name);
                let is_shared = LOOKUPS.contains(&name);
                let of_it = if is_shared {
                    String::new()
                } else {
                    format!(" WHERE namespace_id = '{namespace}'")
                };
                let count = format!("SELECT CAST(count(*) AS text) FROM {relation}{of_it}");
                let count = world.database.ask(&count);
                assert_eq!(count, [found.len().to_string()], "{namespace}: {name}");
                assert!(!found.is_empty(), "{namespace}: {name}");
                for row in &found {
                    assert!(is_shared || row["namespace_id"] == namespace, "{row}");
                }
                let found = found.into_iter().map(still).collect();
                rows.insert((namespace, name), found);
            }
        }
        Self { rows }
    }

    pub fn all(&self, namespace: &'static str, resource: &'static str) -> &[Value] {
        &self.rows[&(namespace, resource)]
    }

    /// The rows that a caller is to see; none where it may not even ask.
    pub fn seen(&self, caller: &Caller, resource: &'static str) -> Option<Vec<Value>> {
        let rows = self.all(caller.namespace, resource);
        if LOOKUPS.contains(&resource) {
            return Some(rows.to_vec());
        }
        if caller.role == Role::MecAnon {
            let active = rows.iter().filter(|row| row["status"] == "active");
            return (resource == "plans").then(|| active.cloned().collect());
        }
        let Some(account) = caller.account.filter(|_| !CATALOGUE.contains(&resource)) else {
            return Some(rows.to_vec());
        };
        let below = self.below(caller.namespace, account);
        let through = THROUGH.iter().find(|(name, ..)| *name == resource);
        let mut seen: Vec<Value> = match through {
            None => {
                let fits = |row: &&Value| below.contains(&row["account_id"].to_string());
                rows.iter().filter(fits).cloned().collect()
            }
            Some((_, column, of)) => {
                let of = self.seen(caller, of)?;
                let ids: BTreeSet<String> = of.iter().map(|row| row[column].to_string()).collect();
                let fits = |row: &&Value| ids.contains(&row[*column].to_string());
                rows.iter().filter(fits).cloned().collect()
            }
        };
        for row in &mut seen {
            // The name of an owner above what is seen is not told.
            let owner = row["owner_account_id"].to_string();
            if resource == "account_hierarchy" && !below.contains(&owner) {
                row["owner_display_name"] = Value::Null;
            }
        }
        Some(seen)
    }

    /// The ids, as JSON, of an account and all below it.
    fn below(&self, namespace: &'static str, account: Uuid) -> BTreeSet<String> {
        let accounts = self.all(namespace, "accounts");
        let own = Value::from(account.to_string()).to_string();
        let mut below: BTreeSet<String> = accounts
            .iter()
            .map(|row| row["account_id"].to_string())
            .filter(|id| *id == own)
            .collect();
        loop {
            let more = accounts
                .iter()
                .filter(|row| below.contains(&row["parent_account_id"].to_string()))
                .map(|row| row["account_id"].to_string());
            let all: BTreeSet<String> = more.chain(below.iter().cloned()).collect();
            if all.len() == below.len() {
                return below;
            }
            below = all;
        }
    }
}
