//! The rows of a namespace's catalogue, each changed by replacing the catalogue as a whole, so that it never
//! contradicts itself nor what accounts use.

use mec_core::catalogue::ResourceType;
use mec_core::condition::{Condition, ConditionOp};
use mec_core::entitlement::LimitKind;
use mec_core::plan::{Plan, Template};
use mec_core::rule::{LimitAction, Rule};
use mec_core::{Code, Quantity, Timestamp};
use mec_query::rows::Cell;
use mec_query::schema::Resource;
use mec_store::CatalogueDraft;
use uuid::Uuid;

use super::cells::{Reading, decimal, text, whole};
use super::table::Row;
use crate::error::ApiError;

/// The rows of a resource that a draft holds.
pub fn rows(resource: &'static Resource, draft: &CatalogueDraft, namespace: &str) -> Vec<Row> {
    let ns = || text(namespace);
    match resource.name {
        "resource_types" => draft
            .resource_types
            .iter()
            .map(|row| resource_type(ns(), row))
            .collect(),
        "resource_type_allowed_units" => {
            let all = draft.resource_types.iter().flat_map(|row| {
                let units = row.allowed_units.iter();
                units.map(|unit| vec![ns(), text(&row.resource_type_code), text(unit)])
            });
            all.collect()
        }
        "plans" => draft.plans.iter().map(|row| plan(ns(), row)).collect(),
        "plan_entitlement_templates" => {
            let all = draft.plans.iter().flat_map(|plan| {
                plan.templates
                    .iter()
                    .map(|row| template(ns(), &plan.plan_id, row))
            });
            all.collect()
        }
        "control_rules" => draft.rules.iter().map(|row| rule(ns(), row)).collect(),
        _ => {
            let all = draft.rules.iter().flat_map(|rule| {
                rule.conditions.iter().map(|row| {
                    vec![
                        ns(),
                        Cell::Uuid(rule.rule_id),
                        text(&row.key),
                        text(row.op.as_str()),
                        row.value.as_deref().map_or(Cell::Null, text),
                    ]
                })
            });
            all.collect()
        }
    }
}

/// What stands for a column that a new row lacks.
pub fn default(resource: &str, column: &'static str, id: impl Fn() -> Uuid) -> Option<Cell> {
    Some(match (resource, column) {
        (_, "created_at" | "updated_at") => Cell::Null,
        (_, "description") => text(""),
        (
            _,
            "is_inventory" | "is_concurrency" | "is_time_bound" | "is_trial" | "is_addon"
            | "per_seat",
        ) => Cell::Boolean(false),
        (_, "is_active") => Cell::Boolean(true),
        ("plans", "status") => text("active"),
        (_, "priority") => Cell::Integer(0),
        (_, "window_type_code") => text("none"),
        (_, "template_id" | "rule_id") => Cell::Uuid(id()),
        _ => return None,
    })
}

/// Puts the rows of a resource into a draft, in place of those that it held.
pub fn put(
    resource: &'static Resource,
    rows: &[Row],
    draft: &mut CatalogueDraft,
    now: Timestamp,
) -> Result<(), ApiError> {
    let all = || rows.iter().map(|row| Reading::new(resource, row));
    match resource.name {
        "resource_types" => {
            let held = std::mem::take(&mut draft.resource_types);
            for row in all() {
                draft.resource_types.push(read_resource_type(&row, &held)?);
            }
        }
        "resource_type_allowed_units" => {
            for kind in &mut draft.resource_types {
                kind.allowed_units.clear();
            }
            for row in all() {
                let code = row.code("resource_type_code")?;
                let mut kinds = draft.resource_types.iter_mut();
                let kind = kinds.find(|kind| kind.resource_type_code == code);
                let kind = kind.ok_or_else(|| row.unknown("resource_type_code"))?;
                kind.allowed_units.push(row.code("unit_code")?);
            }
        }
        "plans" => {
            let held = std::mem::take(&mut draft.plans);
            for row in all() {
                draft.plans.push(read_plan(&row, &held)?);
            }
        }
        "plan_entitlement_templates" => {
            for plan in &mut draft.plans {
                plan.templates.clear();
            }
            for row in all() {
                let code = row.code("plan_id")?;
                let plan = draft.plans.iter_mut().find(|plan| plan.plan_id == code);
                let plan = plan.ok_or_else(|| row.unknown("plan_id"))?;
                plan.templates.push(read_template(&row)?);
            }
        }
        "control_rules" => {
            let held = std::mem::take(&mut draft.rules);
            for row in all() {
                draft.rules.push(read_rule(&row, &held, now)?);
            }
        }
        _ => {
            for rule in &mut draft.rules {
                rule.conditions.clear();
            }
            for row in all() {
                let id = row.id("rule_id")?;
                let rule = draft.rules.iter_mut().find(|rule| rule.rule_id == id);
                let rule = rule.ok_or_else(|| row.unknown("rule_id"))?;
                rule.conditions.push(read_condition(&row)?);
            }
        }
    }
    Ok(())
}

fn resource_type(namespace: Cell, row: &ResourceType) -> Row {
    vec![
        namespace,
        text(&row.resource_type_code),
        text(&row.description),
        text(&row.default_unit_code),
        Cell::Boolean(row.is_inventory),
        Cell::Boolean(row.is_concurrency),
        Cell::Boolean(row.is_time_bound),
    ]
}

fn read_resource_type(row: &Reading<'_>, held: &[ResourceType]) -> Result<ResourceType, ApiError> {
    let code = row.code("resource_type_code")?;
    let unit = row.code("default_unit_code")?;
    let old = held.iter().find(|held| held.resource_type_code == code);
    let mut allowed_units = old.map_or_else(Vec::new, |old| old.allowed_units.clone());
    if !allowed_units.contains(&unit) {
        allowed_units.push(unit.clone());
    }
    Ok(ResourceType {
        resource_type_code: code,
        description: row.text("description")?,
        default_unit_code: unit,
        is_inventory: row.flag("is_inventory")?,
        is_concurrency: row.flag("is_concurrency")?,
        is_time_bound: row.flag("is_time_bound")?,
        allowed_units,
    })
}

fn plan(namespace: Cell, row: &Plan) -> Row {
    vec![
        namespace,
        text(&row.plan_id),
        text(&row.plan_name),
        text(&row.description),
        Cell::Boolean(row.is_trial),
        whole(row.trial_days),
        Cell::Boolean(row.is_addon),
        row.external_id.as_deref().map_or(Cell::Null, text),
        text(&row.status),
        Cell::Null,
        Cell::Null,
    ]
}

fn read_plan(row: &Reading<'_>, held: &[Plan]) -> Result<Plan, ApiError> {
    let plan_id = row.code("plan_id")?;
    let old = held.iter().find(|held| held.plan_id == plan_id);
    Ok(Plan {
        plan_name: row.text("plan_name")?,
        description: row.text("description")?,
        is_trial: row.flag("is_trial")?,
        trial_days: row.maybe_number("trial_days")?,
        is_addon: row.flag("is_addon")?,
        external_id: row.maybe_text("external_id")?,
        status: row.text("status")?,
        templates: old.map_or_else(Vec::new, |old| old.templates.clone()),
        plan_id,
    })
}

fn template(namespace: Cell, plan_id: &Code, row: &Template) -> Row {
    vec![
        namespace,
        Cell::Uuid(row.template_id),
        text(plan_id),
        text(&row.resource_type_code),
        row.resource_scope.as_deref().map_or(Cell::Null, text),
        text(row.limit_kind_code.as_str()),
        decimal(row.quantity_allowed),
        Cell::Boolean(row.per_seat),
        text(&row.unit_code),
        text(&row.window_type_code),
        whole(row.duration_days),
        Cell::Integer(i64::from(row.priority)),
    ]
}

fn read_template(row: &Reading<'_>) -> Result<Template, ApiError> {
    Ok(Template {
        template_id: row.id("template_id")?,
        resource_type_code: row.code("resource_type_code")?,
        resource_scope: row.maybe_code("resource_scope")?,
        limit_kind_code: row.one_of("limit_kind_code", LimitKind::parse)?,
        quantity_allowed: row.maybe_quantity("quantity_allowed")?,
        per_seat: row.flag("per_seat")?,
        unit_code: row.code("unit_code")?,
        window_type_code: row.code("window_type_code")?,
        duration_days: row.maybe_number("duration_days")?,
        priority: row.number("priority")?,
    })
}

fn rule(namespace: Cell, row: &Rule) -> Row {
    vec![
        namespace,
        Cell::Uuid(row.rule_id),
        text(&row.rule_name),
        text(&row.resource_type_code),
        row.resource_scope.as_deref().map_or(Cell::Null, text),
        text(row.limit_kind_code.as_str()),
        text(row.limit_action_code.as_str()),
        decimal(row.warn_at_percent),
        decimal(row.grace_quantity),
        whole(row.grace_window_hours),
        decimal(row.overage_multiplier),
        Cell::Integer(i64::from(row.priority)),
        Cell::Boolean(row.is_active),
    ]
}

fn read_rule(row: &Reading<'_>, held: &[Rule], now: Timestamp) -> Result<Rule, ApiError> {
    let rule_id = row.id("rule_id")?;
    let old = held.iter().find(|held| held.rule_id == rule_id);
    let quantity = |column| -> Result<Option<Quantity>, ApiError> { row.maybe_quantity(column) };
    Ok(Rule {
        rule_name: row.text("rule_name")?,
        resource_type_code: row.code("resource_type_code")?,
        resource_scope: row.maybe_code("resource_scope")?,
        limit_kind_code: row.one_of("limit_kind_code", LimitKind::parse)?,
        limit_action_code: row.one_of("limit_action_code", LimitAction::parse)?,
        warn_at_percent: quantity("warn_at_percent")?,
        grace_quantity: quantity("grace_quantity")?,
        grace_window_hours: row.maybe_number("grace_window_hours")?,
        overage_multiplier: quantity("overage_multiplier")?,
        priority: row.number("priority")?,
        is_active: row.flag("is_active")?,
        created_at: old.map_or(now, |old| old.created_at),
        conditions: old.map_or_else(Vec::new, |old| old.conditions.clone()),
        rule_id,
    })
}

/// A condition of a rule or an entitlement.
pub fn read_condition(row: &Reading<'_>) -> Result<Condition, ApiError> {
    let condition = Condition {
        key: row.text("condition_key")?,
        op: row.one_of("condition_op", ConditionOp::parse)?,
        value: row.maybe_text("condition_value")?,
    };
    let checked = condition.validate();
    checked.map_err(|why| ApiError::new("invalid_value", why).with_details("condition_value"))?;
    Ok(condition)
}
