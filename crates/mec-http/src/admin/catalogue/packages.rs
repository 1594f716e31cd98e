//! Plans with their templates, and control rules, from a document.

use std::collections::{HashMap, HashSet};

use mec_core::Quantity;
use mec_core::catalogue::ResourceType;
use mec_core::condition::{Condition, ConditionOp};
use mec_core::entitlement::LimitKind;
use mec_core::plan::{Plan, Template};
use mec_core::rule::{LimitAction, Rule};

use super::read::{Given, unit};
use crate::admin::document::node::{Node, Value};
use crate::admin::document::table::{Faults, Table};

/// A hundred years, in days.
const MAX_DAYS: i64 = 36_525;
const MAX_CONDITIONS: usize = 20;
const ACTIONS: [LimitAction; 4] = [
    LimitAction::Block,
    LimitAction::Warn,
    LimitAction::Grace,
    LimitAction::Overage,
];

/// What plans and rules are checked against.
pub struct Context<'a> {
    pub given: &'a Given<'a>,
    pub resources: HashMap<&'a str, &'a ResourceType>,
    /// All names of resource types, those of faulty rows too, so that one fault is not told again by
    /// every row that names it.
    pub named: HashSet<&'a str>,
}

impl Context<'_> {
    pub fn plan(&self, node: &Node<'_>, faults: &Faults) -> Option<Plan> {
        let mut table = Table::of(node, "plan", faults)?;
        let plan_id = table.required_code("plan_id");
        let plan_name = table.text("plan_name");
        let description = table.text("description").unwrap_or_default();
        let is_trial = table.flag("is_trial", false);
        let trial_days = table.whole("trial_days", 1, MAX_DAYS);
        if trial_days.is_some() && !is_trial {
            let place = table.place_of("trial_days");
            faults.add(place, "trial_days is for plans with is_trial = true");
        }
        let is_addon = table.flag("is_addon", false);
        let external_id = table.key("external_id");
        let status = table.one_of("status", &["active", "archived"], |name| name);
        let templates = table.tables("templates").iter();
        let templates = templates.filter_map(|node| self.template(node, faults));
        let templates = templates.collect();
        table.finish();
        let plan_id = plan_id?;
        Some(Plan {
            plan_name: plan_name.unwrap_or_else(|| plan_id.to_string()),
            plan_id,
            description,
            is_trial,
            trial_days: trial_days.and_then(|days| u32::try_from(days).ok()),
            is_addon,
            external_id,
            status: status.unwrap_or("active").to_owned(),
            templates,
        })
    }

    fn template(&self, node: &Node<'_>, faults: &Faults) -> Option<Template> {
        let mut table = Table::of(node, "template", faults)?;
        let resource = self.resource(&mut table);
        let resource_scope = table.code("resource_scope");
        let limit_kind = kind(&mut table);
        let quantity = allowance(&mut table, limit_kind);
        let per_seat = table.flag("per_seat", false);
        let unit_code = table.code("unit_code");
        let window = table.code("window_type_code");
        let duration_days = table.whole("duration_days", 1, MAX_DAYS);
        let priority = priority(&mut table);
        let unit_place = table.place_of("unit_code");
        let window_place = table.place_of("window_type_code");
        let quantity_place = table.place_of("quantity_allowed");
        let place = table.place_of("limit_kind_code");
        table.finish();
        let windows = &self.given.lookups.window_types;
        if let Some(name) = window
            .as_deref()
            .filter(|name| !windows.contains_key(*name))
        {
            let known = windows.keys().map(|window| &**window);
            faults.unknown(window_place, "window type", name, known);
        }
        let (resource, limit_kind) = (resource?, limit_kind?);
        fits(resource, limit_kind, place, faults);
        let unit_code = unit_code.unwrap_or_else(|| resource.default_unit_code.clone());
        let unit = unit(&unit_code, unit_place, self.given.lookups, faults)?;
        if !resource.allowed_units.contains(&unit_code) {
            let (code, allowed) = (
                &resource.resource_type_code,
                resource.allowed_units.join(", "),
            );
            let sentence =
                format!("{code} does not allow the unit {unit_code:?}; allowed: {allowed}");
            faults.add(unit_place, sentence);
        }
        if quantity.is_some_and(|quantity| quantity.decimals() > unit.scale) {
            let sentence = format!("{unit_code} have at most {} decimal places", unit.scale);
            faults.add(quantity_place, sentence);
        }
        Some(Template {
            template_id: (self.given.next_id)(),
            resource_type_code: resource.resource_type_code.clone(),
            resource_scope,
            limit_kind_code: limit_kind,
            quantity_allowed: quantity,
            per_seat,
            unit_code,
            window_type_code: window.unwrap_or_else(|| "none".into()),
            duration_days: duration_days.and_then(|days| u32::try_from(days).ok()),
            priority,
        })
    }

    pub fn rule(&self, node: &Node<'_>, faults: &Faults) -> Option<Rule> {
        let mut table = Table::of(node, "control rule", faults)?;
        let rule_name = table.required_code("rule_name");
        let resource = self.resource(&mut table);
        let resource_scope = table.code("resource_scope");
        let limit_kind = kind(&mut table);
        let action = table.one_of("limit_action_code", &ACTIONS, LimitAction::as_str);
        if !table.has("limit_action_code") {
            table.missing("limit_action_code");
        }
        let warn_at_percent = table.quantity("warn_at_percent");
        let grace_quantity = table.quantity("grace_quantity");
        let grace_window_hours = table.whole("grace_window_hours", 1, MAX_DAYS * 24);
        let overage_multiplier = table.quantity("overage_multiplier");
        let priority = priority(&mut table);
        let is_active = table.flag("is_active", true);
        let conditions = conditions(&mut table);
        if action == Some(LimitAction::Grace) && !table.has("grace_quantity") {
            let place = table.place_of("limit_action_code");
            faults.add(place, "a rule with the action grace needs grace_quantity");
        }
        let place = table.place_of("limit_kind_code");
        table.finish();
        let (resource, limit_kind) = (resource?, limit_kind?);
        fits(resource, limit_kind, place, faults);
        Some(Rule {
            rule_id: (self.given.next_id)(),
            rule_name: rule_name?.to_string(),
            resource_type_code: resource.resource_type_code.clone(),
            resource_scope,
            limit_kind_code: limit_kind,
            limit_action_code: action?,
            warn_at_percent,
            grace_quantity,
            grace_window_hours: grace_window_hours.and_then(|hours| u32::try_from(hours).ok()),
            overage_multiplier,
            priority,
            is_active,
            created_at: self.given.now,
            conditions,
        })
    }

    /// The resource type that a row names, of those of the same document.
    fn resource(&self, table: &mut Table<'_>) -> Option<&ResourceType> {
        let name = table.required_code("resource_type_code")?;
        let found = self.resources.get(&*name).copied();
        if found.is_none() && !self.named.contains(&*name) {
            let known = self.named.iter().copied();
            let place = table.place_of("resource_type_code");
            table.faults.unknown(place, "resource type", &name, known);
        }
        found
    }
}

fn kind(table: &mut Table<'_>) -> Option<LimitKind> {
    if !table.has("limit_kind_code") {
        table.missing("limit_kind_code");
    }
    table.one_of("limit_kind_code", &LimitKind::ALL, LimitKind::as_str)
}

fn priority(table: &mut Table<'_>) -> i32 {
    let priority = table.whole("priority", i32::MIN.into(), i32::MAX.into());
    priority
        .and_then(|priority| i32::try_from(priority).ok())
        .unwrap_or(0)
}

/// How much a template allows; none for unlimited, which must be said, so that a forgotten line
/// gives nothing away.
fn allowance(table: &mut Table<'_>, kind: Option<LimitKind>) -> Option<Quantity> {
    if !table.has("quantity_allowed") && kind != Some(LimitKind::TimeAccess) {
        let sentence = "a template needs the key quantity_allowed: a number, or \"unlimited\"";
        table.faults.add(table.place, sentence);
    }
    let node = table.take("quantity_allowed")?;
    if matches!(&node.value, Value::Text(text) if text == "unlimited") {
        return None;
    }
    table.quantity("quantity_allowed")
}

/// A limit that nothing could ever ask is a mistake.
fn fits(resource: &ResourceType, kind: LimitKind, place: &str, faults: &Faults) {
    let code = &resource.resource_type_code;
    let sentence = match (resource.is_concurrency, kind) {
        (false, LimitKind::Concurrency) => {
            format!(
                "{code} is no resource type with is_concurrency = true, so that no lease is limited"
            )
        }
        (true, LimitKind::Cumulative | LimitKind::Inventory) => {
            format!(
                "{code} is limited by leases and not metered; its limit_kind_code is concurrency"
            )
        }
        _ => return,
    };
    faults.add(place, sentence);
}

fn conditions(table: &mut Table<'_>) -> Vec<Condition> {
    let faults = table.faults;
    let nodes = table.tables("conditions");
    if nodes.len() > MAX_CONDITIONS {
        faults.add(table.place_of("conditions"), "at most 20 conditions");
    }
    let read = nodes.iter().filter_map(|node| {
        let mut table = Table::of(node, "condition", faults)?;
        for key in ["condition_key", "condition_op"] {
            if !table.has(key) {
                table.missing(key);
            }
        }
        let key = table.text("condition_key");
        let op = table.one_of("condition_op", &ConditionOp::ALL, ConditionOp::as_str);
        let value = table.written("condition_value");
        table.finish();
        let condition = Condition {
            key: key?,
            op: op?,
            value,
        };
        if let Err(why) = condition.validate() {
            faults.add(&node.place, why);
        }
        Some(condition)
    });
    read.collect()
}
