//! The catalogue's rows: read whole here, written whole in [`write`].

pub(crate) mod write;

use std::sync::Arc;

use mec_core::catalogue::ResourceType;
use mec_core::entitlement::LimitKind;
use mec_core::plan::{Plan, Template};
use mec_core::rule::{LimitAction, Rule};
use mec_core::{Catalogue, Code, Namespace};
use mec_store::CatalogueRows;
use rusqlite::{Connection, Row};
use uuid::Uuid;

use crate::convert::{
    code, condition, id, named, number, optional, optional_code, optional_quantity,
};
use crate::values::{all as rows, first};
use crate::{lookups, sql};

type Sql<T> = rusqlite::Result<T>;

/// The version of a namespace's catalogue; 0 where it has none.
pub(crate) fn version(connection: &Connection, namespace: &Namespace) -> Sql<u64> {
    let version = first(
        connection,
        sql::CATALOGUE_VERSION_SELECT_BY_NAMESPACE,
        [namespace.as_str()],
        |row| number(row, 0),
    )?;
    Ok(version.unwrap_or(0))
}

/// The whole catalogue of a namespace.
pub(crate) fn read(connection: &Connection, namespace: &Namespace) -> Sql<Catalogue> {
    let mut catalogue = Catalogue::empty(namespace.clone(), Arc::new(lookups::read(connection)?));
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

/// Which of some rows accounts use.
pub(crate) fn used(
    connection: &Connection,
    namespace: &Namespace,
    asked: &CatalogueRows,
) -> Sql<CatalogueRows> {
    let of = |sql: &str, codes: &[Code]| -> Sql<Vec<Code>> {
        let mut used = Vec::new();
        for asked in codes {
            let names = [namespace.as_str(), asked];
            used.extend(first(connection, sql, names, |row| code(row, 0))?);
        }
        Ok(used)
    };
    Ok(CatalogueRows {
        plans: of(sql::PLAN_SELECT_HELD_BY_ID, &asked.plans)?,
        resource_types: of(
            sql::RESOURCE_TYPE_SELECT_USED_BY_CODE,
            &asked.resource_types,
        )?,
    })
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
