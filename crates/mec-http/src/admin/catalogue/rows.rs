//! The catalogue as rows.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use mec_core::catalogue::ResourceType;
use mec_core::plan::{Plan, Template};
use mec_core::rule::Rule;
use mec_core::{Catalogue, Quantity};
use mec_store::CatalogueDraft;

use crate::admin::document::rows::{Row, flag, maybe, quoted, text, write_rows};

/// The draft that a catalogue is.
pub fn draft_of(catalogue: &Catalogue) -> CatalogueDraft {
    let mut draft = CatalogueDraft {
        over: None,
        resource_types: catalogue.resource_types.values().cloned().collect(),
        plans: catalogue.plans.values().cloned().collect(),
        rules: catalogue.rules.values().flatten().cloned().collect(),
    };
    let resources = &mut draft.resource_types;
    resources.sort_by(|a, b| a.resource_type_code.cmp(&b.resource_type_code));
    draft.plans.sort_by(|a, b| a.plan_id.cmp(&b.plan_id));
    draft
        .rules
        .sort_by_key(|rule| (rule.created_at, rule.rule_id));
    draft
}

/// The catalogue as a file that `mec catalogue apply` takes.
pub fn to_toml(catalogue: &Catalogue) -> String {
    let mut text = format!(
        "# The catalogue of the namespace {}.\n\
         # Applied while the version is another, the file is refused; without the line it always counts.\n\
         version = {}\n",
        catalogue.namespace, catalogue.version
    );
    write_rows(&mut text, &rows(&draft_of(catalogue)));
    text.push_str(&shared_rows(catalogue));
    text
}

/// The rows of all namespaces, which are only read, as a comment.
fn shared_rows(catalogue: &Catalogue) -> String {
    let list = |names: Vec<String>| {
        let mut names = names;
        names.sort_unstable();
        names.join(", ")
    };
    let lookups = &catalogue.lookups;
    let units = lookups.units.values().map(|unit| {
        if unit.base_unit_code == unit.unit_code {
            unit.unit_code.to_string()
        } else {
            let (factor, base) = (unit.base_factor, &unit.base_unit_code);
            format!("{} ({factor} {base})", unit.unit_code)
        }
    });
    let windows = lookups.window_types.keys().map(ToString::to_string);
    let types = lookups.account_types.keys().map(ToString::to_string);
    format!(
        "\n# Shared by all namespaces, changed by `mec lookups apply`:\n# units: {}\n# window types: {}\n# account types: {}\n",
        list(units.collect()),
        list(windows.collect()),
        list(types.collect())
    )
}

/// The rows of a draft, in the order of a file.
pub fn rows(draft: &CatalogueDraft) -> Vec<Row> {
    let mut rows: Vec<Row> = draft.resource_types.iter().map(resource_type).collect();
    for of_plan in &draft.plans {
        rows.push(plan(of_plan));
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for of_template in &of_plan.templates {
            let mut row = template(of_plan, of_template);
            // Two templates may say the same of two quantities, which add up.
            let count = seen.entry(row.name.clone()).or_default();
            *count += 1;
            if *count > 1 {
                row.name = format!("{} ({count})", row.name);
            }
            rows.push(row);
        }
    }
    rows.extend(draft.rules.iter().map(rule));
    rows
}

fn resource_type(row: &ResourceType) -> Row {
    let units: Vec<String> = row.allowed_units.iter().map(|unit| quoted(unit)).collect();
    let only_default = row.allowed_units.len() == 1;
    Row {
        kind: "resource type",
        heading: "resource_types",
        name: row.resource_type_code.to_string(),
        fields: vec![
            ("resource_type_code", quoted(&row.resource_type_code), false),
            text("description", &row.description),
            ("default_unit_code", quoted(&row.default_unit_code), false),
            (
                "allowed_units",
                format!("[{}]", units.join(", ")),
                only_default,
            ),
            flag("is_inventory", row.is_inventory, false),
            flag("is_concurrency", row.is_concurrency, false),
            flag("is_time_bound", row.is_time_bound, false),
        ],
    }
}

fn plan(row: &Plan) -> Row {
    Row {
        kind: "plan",
        heading: "plans",
        name: row.plan_id.to_string(),
        fields: vec![
            ("plan_id", quoted(&row.plan_id), false),
            ("plan_name", quoted(&row.plan_name), false),
            text("description", &row.description),
            flag("is_trial", row.is_trial, false),
            maybe("trial_days", row.trial_days),
            flag("is_addon", row.is_addon, false),
            maybe("external_id", row.external_id.as_deref().map(quoted)),
            ("status", quoted(&row.status), row.status == "active"),
        ],
    }
}

fn template(plan: &Plan, row: &Template) -> Row {
    let mut name = format!(
        "{}: {} {}",
        plan.plan_id,
        row.resource_type_code,
        row.limit_kind_code.as_str()
    );
    for part in row.resource_scope.iter().chain([&row.window_type_code]) {
        if **part != *"none" {
            let _ = write!(name, " {part}");
        }
    }
    let quantity = row
        .quantity_allowed
        .map_or_else(|| quoted("unlimited"), |q| q.to_string());
    Row {
        kind: "template",
        heading: "plans.templates",
        name,
        fields: vec![
            ("resource_type_code", quoted(&row.resource_type_code), false),
            maybe("resource_scope", row.resource_scope.as_deref().map(quoted)),
            (
                "limit_kind_code",
                quoted(row.limit_kind_code.as_str()),
                false,
            ),
            ("quantity_allowed", quantity, false),
            flag("per_seat", row.per_seat, false),
            ("unit_code", quoted(&row.unit_code), false),
            (
                "window_type_code",
                quoted(&row.window_type_code),
                &*row.window_type_code == "none",
            ),
            maybe("duration_days", row.duration_days),
            ("priority", row.priority.to_string(), row.priority == 0),
        ],
    }
}

fn rule(row: &Rule) -> Row {
    let conditions: Vec<String> = row
        .conditions
        .iter()
        .map(|condition| {
            let value = condition.value.as_deref().map(quoted);
            let value = value.map(|value| format!(", condition_value = {value}"));
            format!(
                "{{ condition_key = {}, condition_op = {}{} }}",
                quoted(&condition.key),
                quoted(condition.op.as_str()),
                value.unwrap_or_default()
            )
        })
        .collect();
    let number = |quantity: Option<Quantity>| quantity.map(|quantity| quantity.to_string());
    Row {
        kind: "control rule",
        heading: "control_rules",
        name: row.rule_name.clone(),
        fields: vec![
            ("rule_name", quoted(&row.rule_name), false),
            ("resource_type_code", quoted(&row.resource_type_code), false),
            maybe("resource_scope", row.resource_scope.as_deref().map(quoted)),
            (
                "limit_kind_code",
                quoted(row.limit_kind_code.as_str()),
                false,
            ),
            (
                "limit_action_code",
                quoted(row.limit_action_code.as_str()),
                false,
            ),
            maybe("warn_at_percent", number(row.warn_at_percent)),
            maybe("grace_quantity", number(row.grace_quantity)),
            maybe("grace_window_hours", row.grace_window_hours),
            maybe("overage_multiplier", number(row.overage_multiplier)),
            ("priority", row.priority.to_string(), row.priority == 0),
            flag("is_active", row.is_active, true),
            (
                "conditions",
                format!("[{}]", conditions.join(", ")),
                conditions.is_empty(),
            ),
        ],
    }
}
