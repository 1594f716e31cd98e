//! From a document to a draft: every value checked, all faults told at once.

use mec_core::Timestamp;
use mec_core::catalogue::{Lookups, ResourceType, Unit};
use mec_core::plan::Plan;
use mec_core::rule::Rule;
use mec_store::CatalogueDraft;
use uuid::Uuid;

use super::packages::Context;
use super::wire::CatalogueDocument;
use crate::admin::document::node::{Node, Value};
use crate::admin::document::table::{Fault, Faults, Table, twice};

/// What a document says.
pub struct Read {
    pub draft: CatalogueDraft,
    /// The version that it was made from, where it says so.
    pub version: Option<u64>,
}

/// What the rows of a document are checked against, and what new rows are given.
pub struct Given<'a> {
    pub lookups: &'a Lookups,
    /// The catalogue at hand as it is sent, whose shared rows a document may only repeat.
    pub present: &'a CatalogueDocument,
    pub next_id: &'a dyn Fn() -> Uuid,
    pub now: Timestamp,
}

/// Reads a document, or tells all of its faults.
pub fn read(root: &Node<'_>, given: &Given<'_>) -> Result<Read, Vec<Fault>> {
    let faults = Faults::default();
    let read = document(root, given, &faults);
    match (read, faults.into_vec()) {
        (Some(read), faults) if faults.is_empty() => Ok(read),
        (_, faults) => Err(faults),
    }
}

fn document(root: &Node<'_>, given: &Given<'_>, faults: &Faults) -> Option<Read> {
    let mut table = Table::of(root, "catalogue", faults)?;
    let version = table.whole("version", 0, i64::MAX);
    let nodes = table.tables("resource_types");
    let resources: Vec<(ResourceType, &Node<'_>)> = nodes
        .iter()
        .filter_map(|node| Some((resource_type(node, given.lookups, faults)?, node)))
        .collect();
    let names = resources
        .iter()
        .map(|(row, node)| (row.resource_type_code.as_ref(), *node));
    twice(names, "resource_type_code", faults);
    let resource_types: Vec<ResourceType> = resources.into_iter().map(|(row, _)| row).collect();
    let known = resource_types.iter();
    let context = Context {
        given,
        resources: known.map(|r| (r.resource_type_code.as_ref(), r)).collect(),
        named: nodes.iter().filter_map(named).collect(),
    };
    let plans: Vec<(Plan, &Node<'_>)> = table
        .tables("plans")
        .iter()
        .filter_map(|node| Some((context.plan(node, faults)?, node)))
        .collect();
    let names = plans
        .iter()
        .map(|(row, node)| (row.plan_id.as_ref(), *node));
    twice(names, "plan_id", faults);
    let rules: Vec<(Rule, &Node<'_>)> = table
        .tables("control_rules")
        .iter()
        .filter_map(|node| Some((context.rule(node, faults)?, node)))
        .collect();
    let names = rules
        .iter()
        .map(|(row, node)| (row.rule_name.as_str(), *node));
    twice(names, "rule_name", faults);
    shared(&mut table, given, faults);
    table.finish();
    let draft = CatalogueDraft {
        over: None,
        plans: plans.into_iter().map(|(row, _)| row).collect(),
        rules: rules.into_iter().map(|(row, _)| row).collect(),
        resource_types,
    };
    let version = version.and_then(|version| u64::try_from(version).ok());
    Some(Read { draft, version })
}

/// The name of a resource type, whatever else is wrong with it.
fn named<'n>(node: &'n Node<'n>) -> Option<&'n str> {
    let Value::Table(entries) = &node.value else {
        return None;
    };
    let (_, name) = entries
        .iter()
        .find(|(key, _)| key == "resource_type_code")?;
    match &name.value {
        Value::Text(name) => Some(name),
        _ => None,
    }
}

/// The rows that all namespaces share may stand in a document as they are.
fn shared(table: &mut Table<'_>, given: &Given<'_>, faults: &Faults) {
    let present = given.present;
    for (key, held) in [
        ("units", serde_json::to_value(&present.units)),
        ("window_types", serde_json::to_value(&present.window_types)),
        (
            "account_types",
            serde_json::to_value(&present.account_types),
        ),
    ] {
        let Some(node) = table.take(key) else {
            continue;
        };
        let sent: Result<serde_json::Value, _> = serde_json::from_str(node.json);
        if !matches!((&sent, &held), (Ok(sent), Ok(held)) if sent == held) {
            let sentence =
                format!("{key} are shared by all namespaces; `mec lookups apply` changes them");
            faults.add(&node.place, sentence);
        }
    }
}

fn resource_type(node: &Node<'_>, lookups: &Lookups, faults: &Faults) -> Option<ResourceType> {
    let mut table = Table::of(node, "resource type", faults)?;
    let code = table.required_code("resource_type_code");
    let description = table.text("description").unwrap_or_default();
    let default_unit = table.required_code("default_unit_code");
    let default_place = table.place_of("default_unit_code");
    let allowed = table.codes("allowed_units");
    let flags =
        ["is_inventory", "is_concurrency", "is_time_bound"].map(|key| table.flag(key, false));
    if flags.iter().filter(|flag| **flag).count() > 1 {
        let sentence = "at most one of is_inventory, is_concurrency and is_time_bound is true";
        faults.add(table.place, sentence);
    }
    table.finish();
    let (code, default_unit) = (code?, default_unit?);
    let unit = unit(&default_unit, default_place, lookups, faults)?;
    let allowed = allowed.unwrap_or_else(|| vec![(default_unit.clone(), default_place)]);
    if !allowed.iter().any(|(allowed, _)| *allowed == default_unit) {
        let sentence = format!("the default unit {default_unit:?} is not among allowed_units");
        faults.add(default_place, sentence);
    }
    for (index, (name, place)) in allowed.iter().enumerate() {
        let other = self::unit(name, place, lookups, faults)?;
        if other.unit_category != unit.unit_category {
            let sentence = format!(
                "the unit {name:?} counts {}, but {default_unit:?} counts {}: units of one resource type convert into each other",
                other.unit_category, unit.unit_category
            );
            faults.add(place, sentence);
        }
        if allowed.iter().take(index).any(|(before, _)| before == name) {
            faults.add(place, format!("the unit {name:?} stands twice"));
        }
    }
    Some(ResourceType {
        resource_type_code: code,
        description,
        default_unit_code: default_unit,
        is_inventory: flags[0],
        is_concurrency: flags[1],
        is_time_bound: flags[2],
        allowed_units: allowed.into_iter().map(|(unit, _)| unit).collect(),
    })
}

/// A unit that all namespaces share.
pub fn unit<'l>(
    name: &str,
    place: &str,
    lookups: &'l Lookups,
    faults: &Faults,
) -> Option<&'l Unit> {
    let found = lookups.units.get(name);
    if found.is_none() {
        faults.unknown(
            place,
            "unit",
            name,
            lookups.units.keys().map(|unit| &**unit),
        );
    }
    found
}
