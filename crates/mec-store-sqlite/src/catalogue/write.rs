//! Writing the catalogue: a namespace's rows become what a draft says, in one transaction.

use std::collections::HashSet;

use mec_core::catalogue::ResourceType;
use mec_core::plan::Plan;
use mec_core::{Code, Namespace, Timestamp};
use mec_store::CatalogueDraft;
use rusqlite::{Connection, params};

use super::Sql;
use crate::sql;
use crate::values::Millionths;

/// Makes the rows of a namespace what a draft says, and raises its version.
pub(crate) fn replace(
    connection: &Connection,
    namespace: &Namespace,
    draft: &CatalogueDraft,
    now: Timestamp,
) -> Sql<()> {
    let before = super::read(connection, namespace)?;
    let draft = &draft.with_identities_of(&before);
    let ns = namespace.as_str();
    for resource in &draft.resource_types {
        write_resource_type(connection, ns, resource)?;
    }
    for plan in &draft.plans {
        write_plan(connection, ns, plan, now)?;
    }
    let kept: HashSet<&Code> = draft.plans.iter().map(|plan| &plan.plan_id).collect();
    for plan in before.plans.keys().filter(|plan| !kept.contains(plan)) {
        if connection.execute(sql::PLAN_DELETE_UNHELD_BY_ID, params![ns, plan])? == 0 {
            connection.execute(sql::PLAN_ARCHIVE_BY_ID, params![ns, plan, now.as_micros()])?;
        }
    }
    write_rules(connection, ns, draft)?;
    let kept: HashSet<&Code> = draft
        .resource_types
        .iter()
        .map(|resource| &resource.resource_type_code)
        .collect();
    for resource in before
        .resource_types
        .keys()
        .filter(|resource| !kept.contains(resource))
    {
        connection.execute(
            sql::RESOURCE_TYPE_DELETE_UNUSED_BY_CODE,
            params![ns, resource],
        )?;
    }
    connection.execute(sql::CATALOGUE_VERSION_RAISE_BY_NAMESPACE, [ns])?;
    Ok(())
}

fn write_resource_type(connection: &Connection, ns: &str, resource: &ResourceType) -> Sql<()> {
    let code = &resource.resource_type_code;
    let flags = (
        resource.is_inventory,
        resource.is_concurrency,
        resource.is_time_bound,
    );
    let values = params![
        ns,
        code,
        resource.description,
        resource.default_unit_code,
        flags.0,
        flags.1,
        flags.2
    ];
    connection.execute(sql::RESOURCE_TYPE_UPSERT_BY_CODE, values)?;
    connection.execute(sql::ALLOWED_UNIT_DELETE_BY_RESOURCE_TYPE, params![ns, code])?;
    for (position, unit) in resource.allowed_units.iter().enumerate() {
        connection.execute(
            sql::ALLOWED_UNIT_INSERT,
            params![ns, code, unit, position as i64],
        )?;
    }
    Ok(())
}

fn write_plan(connection: &Connection, ns: &str, plan: &Plan, now: Timestamp) -> Sql<()> {
    let values = params![
        ns,
        plan.plan_id,
        plan.plan_name,
        plan.description,
        plan.is_trial,
        plan.trial_days,
        plan.is_addon,
        plan.external_id,
        plan.status,
        now.as_micros()
    ];
    connection.execute(sql::PLAN_UPSERT_BY_ID, values)?;
    connection.execute(sql::TEMPLATE_DELETE_BY_PLAN, params![ns, plan.plan_id])?;
    for (position, template) in plan.templates.iter().enumerate() {
        let values = params![
            ns,
            template.template_id.as_bytes(),
            plan.plan_id,
            position as i64,
            template.resource_type_code,
            template.resource_scope,
            template.limit_kind_code.as_str(),
            template.quantity_allowed.map(Millionths),
            template.per_seat,
            template.unit_code,
            template.window_type_code,
            template.duration_days,
            template.priority
        ];
        connection.execute(sql::TEMPLATE_INSERT, values)?;
    }
    Ok(())
}

fn write_rules(connection: &Connection, ns: &str, draft: &CatalogueDraft) -> Sql<()> {
    connection.execute(sql::RULE_DELETE_BY_NAMESPACE, [ns])?;
    for (position, rule) in draft.rules.iter().enumerate() {
        let values = params![
            ns,
            rule.rule_id.as_bytes(),
            rule.rule_name,
            position as i64,
            rule.resource_type_code,
            rule.resource_scope,
            rule.limit_kind_code.as_str(),
            rule.limit_action_code.as_str(),
            rule.warn_at_percent.map(Millionths),
            rule.grace_quantity.map(Millionths),
            rule.grace_window_hours,
            rule.overage_multiplier.map(Millionths),
            rule.priority,
            rule.is_active,
            rule.created_at.as_micros()
        ];
        connection.execute(sql::RULE_INSERT, values)?;
        for (position, condition) in rule.conditions.iter().enumerate() {
            let values = params![
                ns,
                rule.rule_id.as_bytes(),
                position as i64,
                condition.key,
                condition.op.as_str(),
                condition.value
            ];
            connection.execute(sql::RULE_CONDITION_INSERT, values)?;
        }
    }
    Ok(())
}
