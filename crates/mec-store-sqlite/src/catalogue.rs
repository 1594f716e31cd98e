//! The catalogue's rows: read whole, written whole.

use std::collections::HashSet;
use std::sync::Arc;

use mec_core::catalogue::{AccountType, Lookups, ResourceType, Unit};
use mec_core::entitlement::LimitKind;
use mec_core::plan::{Plan, Template};
use mec_core::rule::{LimitAction, Rule};
use mec_core::window::{PeriodUnit, WindowMode, WindowType};
use mec_core::{Catalogue, Code, Namespace, Timestamp};
use mec_store::CatalogueDraft;
use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;

use crate::convert::{
    code, condition, id, millionths, named, number, optional, optional_code, optional_quantity,
};
use crate::sql;

type Sql<T> = rusqlite::Result<T>;

/// Reads rows and maps each.
pub(crate) fn rows<T>(
    connection: &Connection,
    sql: &str,
    params: impl rusqlite::Params,
    map: impl FnMut(&Row<'_>) -> Sql<T>,
) -> Sql<Vec<T>> {
    connection
        .prepare_cached(sql)?
        .query_map(params, map)?
        .collect()
}

pub(crate) fn version(connection: &Connection, namespace: &Namespace) -> Sql<u64> {
    let mut statement = connection.prepare_cached(sql::CATALOGUE_VERSION_SELECT_BY_NAMESPACE)?;
    Ok(statement
        .query_row([namespace.as_str()], |row| number(row, 0))
        .optional()?
        .unwrap_or(0))
}

pub(crate) fn lookups(connection: &Connection) -> Sql<Lookups> {
    let units = rows(connection, sql::UNIT_SELECT_ALL, [], |row| {
        Ok(Unit {
            unit_code: code(row, 0)?,
            unit_category: row.get(1)?,
            description: row.get(2)?,
            scale: number(row, 3)?,
            base_unit_code: code(row, 4)?,
            base_factor: row.get(5)?,
        })
    })?;
    let window_types = rows(connection, sql::WINDOW_TYPE_SELECT_ALL, [], |row| {
        let unit: Option<String> = row.get(3)?;
        Ok(WindowType {
            code: code(row, 0)?,
            description: row.get(1)?,
            mode: named(row, 2, WindowMode::parse)?,
            period_unit: unit.as_deref().and_then(PeriodUnit::parse),
            period_count: number(row, 4)?,
        })
    })?;
    let account_types = rows(connection, sql::ACCOUNT_TYPE_SELECT_ALL, [], |row| {
        Ok(AccountType {
            account_type_code: code(row, 0)?,
            description: row.get(1)?,
            can_have_children: row.get(2)?,
        })
    })?;
    Ok(Lookups {
        units: units
            .into_iter()
            .map(|unit| (unit.unit_code.clone(), unit))
            .collect(),
        window_types: window_types
            .into_iter()
            .map(|w| (w.code.clone(), w))
            .collect(),
        account_types: account_types
            .into_iter()
            .map(|t| (t.account_type_code.clone(), t))
            .collect(),
    })
}

pub(crate) fn insert_lookups(connection: &Connection, lookups: &Lookups) -> Sql<()> {
    for unit in lookups.units.values() {
        let values = params![
            unit.unit_code,
            unit.unit_category,
            unit.description,
            unit.scale,
            unit.base_unit_code,
            unit.base_factor
        ];
        connection.execute(sql::UNIT_INSERT, values)?;
    }
    for w in lookups.window_types.values() {
        let unit = w.period_unit.map(PeriodUnit::as_str);
        connection.execute(
            sql::WINDOW_TYPE_INSERT,
            params![w.code, w.description, w.mode.as_str(), unit, w.period_count],
        )?;
    }
    for t in lookups.account_types.values() {
        connection.execute(
            sql::ACCOUNT_TYPE_INSERT,
            params![t.account_type_code, t.description, t.can_have_children],
        )?;
    }
    Ok(())
}

/// The whole catalogue of a namespace.
pub(crate) fn read(connection: &Connection, namespace: &Namespace) -> Sql<Catalogue> {
    let mut catalogue = Catalogue::empty(namespace.clone(), Arc::new(lookups(connection)?));
    catalogue.version = version(connection, namespace)?;
    let ns = [namespace.as_str()];
    for resource in rows(
        connection,
        sql::RESOURCE_TYPE_SELECT_BY_NAMESPACE,
        ns,
        resource_type,
    )? {
        catalogue
            .resource_types
            .insert(resource.resource_type_code.clone(), resource);
    }
    let allowed = rows(
        connection,
        sql::ALLOWED_UNIT_SELECT_BY_NAMESPACE,
        ns,
        |row| Ok((code(row, 0)?, code(row, 1)?)),
    )?;
    for (resource, unit) in allowed {
        if let Some(resource) = catalogue.resource_types.get_mut(&resource) {
            resource.allowed_units.push(unit);
        }
    }
    for plan in rows(connection, sql::PLAN_SELECT_BY_NAMESPACE, ns, plan)? {
        catalogue.plans.insert(plan.plan_id.clone(), plan);
    }
    for (plan, template) in rows(connection, sql::TEMPLATE_SELECT_BY_NAMESPACE, ns, template)? {
        if let Some(plan) = catalogue.plans.get_mut(&plan) {
            plan.templates.push(template);
        }
    }
    let mut conditions: Vec<(Uuid, _)> = rows(
        connection,
        sql::RULE_CONDITION_SELECT_BY_NAMESPACE,
        ns,
        |row| Ok((id(row, 0)?, condition(row, 1)?)),
    )?;
    for mut rule in rows(connection, sql::RULE_SELECT_BY_NAMESPACE, ns, rule)? {
        rule.conditions = conditions
            .extract_if(.., |(of, _)| *of == rule.rule_id)
            .map(|(_, condition)| condition)
            .collect();
        catalogue
            .rules
            .entry(rule.resource_type_code.clone())
            .or_default()
            .push(rule);
    }
    Ok(catalogue)
}

fn resource_type(row: &Row<'_>) -> Sql<ResourceType> {
    Ok(ResourceType {
        resource_type_code: code(row, 0)?,
        description: row.get(1)?,
        default_unit_code: code(row, 2)?,
        is_inventory: row.get(3)?,
        is_concurrency: row.get(4)?,
        is_time_bound: row.get(5)?,
        allowed_units: Vec::new(),
    })
}

fn plan(row: &Row<'_>) -> Sql<Plan> {
    Ok(Plan {
        plan_id: code(row, 0)?,
        plan_name: row.get(1)?,
        description: row.get(2)?,
        is_trial: row.get(3)?,
        trial_days: optional(row, 4)?,
        is_addon: row.get(5)?,
        external_id: optional(row, 6)?,
        status: row.get(7)?,
        templates: Vec::new(),
    })
}

fn template(row: &Row<'_>) -> Sql<(Code, Template)> {
    let template = Template {
        template_id: id(row, 1)?,
        resource_type_code: code(row, 2)?,
        resource_scope: optional_code(row, 3)?,
        limit_kind_code: named(row, 4, LimitKind::parse)?,
        quantity_allowed: optional_quantity(row, 5)?,
        per_seat: row.get(6)?,
        unit_code: code(row, 7)?,
        window_type_code: code(row, 8)?,
        duration_days: optional(row, 9)?,
        priority: number(row, 10)?,
    };
    Ok((code(row, 0)?, template))
}

fn rule(row: &Row<'_>) -> Sql<Rule> {
    Ok(Rule {
        rule_id: id(row, 0)?,
        rule_name: row.get(1)?,
        resource_type_code: code(row, 2)?,
        resource_scope: optional_code(row, 3)?,
        limit_kind_code: named(row, 4, LimitKind::parse)?,
        limit_action_code: named(row, 5, LimitAction::parse)?,
        warn_at_percent: optional_quantity(row, 6)?,
        grace_quantity: optional_quantity(row, 7)?,
        grace_window_hours: optional(row, 8)?,
        overage_multiplier: optional_quantity(row, 9)?,
        priority: number(row, 10)?,
        is_active: row.get(11)?,
        created_at: crate::convert::at(row, 12)?,
        conditions: Vec::new(),
    })
}

/// Makes the rows of a namespace what a draft says, and raises its version.
pub(crate) fn write(
    connection: &Connection,
    namespace: &Namespace,
    draft: &CatalogueDraft,
    now: Timestamp,
) -> Sql<()> {
    let before = read(connection, namespace)?;
    let ns = namespace.as_str();
    for resource in &draft.resource_types {
        write_resource_type(connection, ns, resource)?;
    }
    for plan in &draft.plans {
        write_plan(connection, ns, plan, before.plans.get(&plan.plan_id), now)?;
    }
    let kept: HashSet<&Code> = draft.plans.iter().map(|plan| &plan.plan_id).collect();
    for plan in before.plans.keys().filter(|plan| !kept.contains(plan)) {
        if connection.execute(sql::PLAN_DELETE_UNHELD_BY_ID, params![ns, plan])? == 0 {
            connection.execute(sql::PLAN_ARCHIVE_BY_ID, params![ns, plan, now.as_micros()])?;
        }
    }
    write_rules(connection, ns, draft, &before)?;
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

fn write_plan(
    connection: &Connection,
    ns: &str,
    plan: &Plan,
    before: Option<&Plan>,
    now: Timestamp,
) -> Sql<()> {
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
        let same = |old: &&Template| {
            (
                &old.resource_type_code,
                &old.resource_scope,
                old.limit_kind_code,
                &old.window_type_code,
            ) == (
                &template.resource_type_code,
                &template.resource_scope,
                template.limit_kind_code,
                &template.window_type_code,
            )
        };
        let template_id = before
            .and_then(|plan| plan.templates.iter().find(same))
            .map_or(template.template_id, |old| old.template_id);
        let values = params![
            ns,
            template_id.as_bytes(),
            plan.plan_id,
            position as i64,
            template.resource_type_code,
            template.resource_scope,
            template.limit_kind_code.as_str(),
            template.quantity_allowed.map(millionths),
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

fn write_rules(
    connection: &Connection,
    ns: &str,
    draft: &CatalogueDraft,
    before: &Catalogue,
) -> Sql<()> {
    connection.execute(sql::RULE_DELETE_BY_NAMESPACE, [ns])?;
    for (position, rule) in draft.rules.iter().enumerate() {
        let old = before
            .rules
            .values()
            .flatten()
            .find(|old| old.rule_name == rule.rule_name);
        let rule_id = old.map_or(rule.rule_id, |old| old.rule_id);
        let values = params![
            ns,
            rule_id.as_bytes(),
            rule.rule_name,
            position as i64,
            rule.resource_type_code,
            rule.resource_scope,
            rule.limit_kind_code.as_str(),
            rule.limit_action_code.as_str(),
            rule.warn_at_percent.map(millionths),
            rule.grace_quantity.map(millionths),
            rule.grace_window_hours,
            rule.overage_multiplier.map(millionths),
            rule.priority,
            rule.is_active,
            old.map_or(rule.created_at, |old| old.created_at)
                .as_micros()
        ];
        connection.execute(sql::RULE_INSERT, values)?;
        for (position, condition) in rule.conditions.iter().enumerate() {
            let values = params![
                ns,
                rule_id.as_bytes(),
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
