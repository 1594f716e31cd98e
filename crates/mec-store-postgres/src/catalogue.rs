//! The catalogue's rows: read whole, and written whole.

use std::collections::HashSet;
use std::sync::Arc;

use futures_util::try_join;
use mec_core::catalogue::ResourceType;
use mec_core::entitlement::LimitKind;
use mec_core::plan::{Plan, Template};
use mec_core::rule::{LimitAction, Rule};
use mec_core::{Catalogue, Code, Namespace, Timestamp};
use mec_store::{CatalogueAge, CatalogueDraft, CatalogueRows, StoreError};
use serde_json::{Value as Json, json};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::connection::{Connection, Value};
use crate::error::Fault;
use crate::load::read;
use crate::rows::{optional_quantity, time};
use crate::values::{At, Columns};
use crate::{convert, lookups, sql};

type Read<T> = Result<T, Fault>;

/// How new a namespace's catalogue is.
pub(crate) async fn age(connection: &Connection, namespace: &Namespace) -> Read<CatalogueAge> {
    let named = vec![namespace.as_str()];
    let sql = sql::CATALOGUE_VERSION_SELECT_BY_NAMESPACE;
    let row = connection.first(sql, &[&named]).await?;
    let row = row.ok_or_else(|| Fault::damaged("no age was told".to_owned()))?;
    Ok(ages(&row)?.first().copied().unwrap_or_default())
}

/// The ages in a row of that statement, in the order of the namespaces that were asked for.
pub(crate) fn ages(row: &Row) -> Read<Vec<CatalogueAge>> {
    let versions: Vec<i64> = row.read(1)?;
    let lookups = row.number(2)?;
    let ages = versions.into_iter().map(|version| CatalogueAge {
        version: u64::try_from(version).unwrap_or(0),
        lookups,
    });
    Ok(ages.collect())
}

/// The whole catalogue of a namespace. Its version is read first, so that rows which are newer than it
/// are read again by whoever compares.
pub(crate) async fn load(connection: &Connection, namespace: &Namespace) -> Read<Catalogue> {
    let age = age(connection, namespace).await?;
    let lookups = lookups::read(connection).await?;
    let mut catalogue = Catalogue::empty(namespace.clone(), Arc::new(lookups));
    catalogue.version = age.version;
    let ns = namespace.as_str();
    let of: [Value<'_>; 1] = [&ns];
    let (resources, allowed, plans, templates, rules, conditions) = try_join!(
        connection.all(sql::RESOURCE_TYPE_SELECT_BY_NAMESPACE, &of),
        connection.all(sql::ALLOWED_UNIT_SELECT_BY_NAMESPACE, &of),
        connection.all(sql::PLAN_SELECT_BY_NAMESPACE, &of),
        connection.all(sql::TEMPLATE_SELECT_BY_NAMESPACE, &of),
        connection.all(sql::RULE_SELECT_BY_NAMESPACE, &of),
        connection.all(sql::RULE_CONDITION_SELECT_BY_NAMESPACE, &of),
    )?;
    for resource in read(&resources, resource_type)? {
        let code = resource.resource_type_code.clone();
        catalogue.resource_types.insert(code, resource);
    }
    for row in &allowed {
        if let Some(resource) = catalogue.resource_types.get_mut(&row.code(0)?) {
            resource.allowed_units.push(row.code(1)?);
        }
    }
    for plan in read(&plans, plan)? {
        catalogue.plans.insert(plan.plan_id.clone(), plan);
    }
    for row in &templates {
        if let Some(plan) = catalogue.plans.get_mut(&row.code(0)?) {
            plan.templates.push(template(row)?);
        }
    }
    let mut conditions: Vec<(Uuid, _)> = read(&conditions, |row| {
        Ok((row.read(0)?, convert::condition(row, 1)?))
    })?;
    for mut rule in read(&rules, rule)? {
        rule.conditions = conditions
            .extract_if(.., |(of, _)| *of == rule.rule_id)
            .map(|(_, condition)| condition)
            .collect();
        let code = rule.resource_type_code.clone();
        catalogue.rules.entry(code).or_default().push(rule);
    }
    Ok(catalogue)
}

/// Which of some rows accounts use.
pub(crate) async fn used(
    connection: &Connection,
    namespace: &Namespace,
    asked: &CatalogueRows,
) -> Read<CatalogueRows> {
    let ns = namespace.as_str();
    let texts = |codes: &[Code]| -> Vec<String> { codes.iter().map(ToString::to_string).collect() };
    let (plans, resources) = (texts(&asked.plans), texts(&asked.resource_types));
    let plans = connection
        .all(sql::PLAN_SELECT_HELD_BY_ID, &[&ns, &plans])
        .await?;
    let sql = sql::RESOURCE_TYPE_SELECT_USED_BY_CODE;
    let resources = connection.all(sql, &[&ns, &resources]).await?;
    Ok(CatalogueRows {
        plans: read(&plans, |row| row.code(0))?,
        resource_types: read(&resources, |row| row.code(0))?,
    })
}

fn resource_type(row: &Row) -> Read<ResourceType> {
    Ok(ResourceType {
        resource_type_code: row.code(0)?,
        description: row.read(1)?,
        default_unit_code: row.code(2)?,
        is_inventory: row.read(3)?,
        is_concurrency: row.read(4)?,
        is_time_bound: row.read(5)?,
        allowed_units: Vec::new(),
    })
}

fn plan(row: &Row) -> Read<Plan> {
    Ok(Plan {
        plan_id: row.code(0)?,
        plan_name: row.read(1)?,
        description: row.read(2)?,
        is_trial: row.read(3)?,
        trial_days: optional_number(row, 4)?,
        is_addon: row.read(5)?,
        external_id: row.read(6)?,
        status: row.read(7)?,
        templates: Vec::new(),
    })
}

fn template(row: &Row) -> Read<Template> {
    Ok(Template {
        template_id: row.read(1)?,
        resource_type_code: row.code(2)?,
        resource_scope: row.optional_code(3)?,
        limit_kind_code: row.named(4, LimitKind::parse)?,
        quantity_allowed: row.optional_quantity(5)?,
        per_seat: row.read(6)?,
        unit_code: row.code(7)?,
        window_type_code: row.code(8)?,
        duration_days: optional_number(row, 9)?,
        priority: row.number(10)?,
    })
}

fn rule(row: &Row) -> Read<Rule> {
    Ok(Rule {
        rule_id: row.read(0)?,
        rule_name: row.read(1)?,
        resource_type_code: row.code(2)?,
        resource_scope: row.optional_code(3)?,
        limit_kind_code: row.named(4, LimitKind::parse)?,
        limit_action_code: row.named(5, LimitAction::parse)?,
        warn_at_percent: row.optional_quantity(6)?,
        grace_quantity: row.optional_quantity(7)?,
        grace_window_hours: optional_number(row, 8)?,
        overage_multiplier: row.optional_quantity(9)?,
        priority: row.number(10)?,
        is_active: row.read(11)?,
        created_at: row.at(12)?,
        conditions: Vec::new(),
    })
}

fn optional_number<T: TryFrom<i64>>(row: &Row, column: usize) -> Read<Option<T>> {
    let number: Option<i64> = row.read(column)?;
    match number {
        Some(_) => row.number(column).map(Some),
        None => Ok(None),
    }
}

/// Writes rows by a statement that reads them from JSON.
pub(crate) async fn put(
    connection: &Connection,
    sql: &'static str,
    rows: impl Iterator<Item = Json>,
) -> Read<()> {
    let rows = Json::Array(rows.collect()).to_string();
    connection.run(sql, &[&rows]).await?;
    Ok(())
}

/// Makes the rows of a namespace what a draft says, and raises its version. The row of the version is
/// taken first, so that two that write the same catalogue follow each other.
pub(crate) async fn replace(
    connection: &Connection,
    namespace: &Namespace,
    draft: &CatalogueDraft,
    now: Timestamp,
) -> Read<()> {
    let ns = namespace.as_str();
    let raise = sql::CATALOGUE_VERSION_RAISE_BY_NAMESPACE;
    connection.run(raise, &[&ns]).await?;
    let before = load(connection, namespace).await?;
    if let Some(over) = draft.over {
        let is_raised = before.version == over.version.saturating_add(1);
        if !is_raised || before.lookups.version != over.lookups {
            return Err(
                StoreError::Again("the catalogue was replaced meanwhile".to_owned()).into(),
            );
        }
    }
    let draft = draft.with_identities_of(&before);
    put_resource_types(connection, ns, &draft).await?;
    put_plans(connection, ns, &draft, now).await?;
    let kept: HashSet<&Code> = draft.plans.iter().map(|plan| &plan.plan_id).collect();
    let gone = before.plans.keys().filter(|plan| !kept.contains(plan));
    let gone: Vec<String> = gone.map(ToString::to_string).collect();
    let of: [Value<'_>; 2] = [&ns, &gone];
    connection.run(sql::PLAN_DELETE_UNHELD_BY_ID, &of).await?;
    let of: [Value<'_>; 3] = [&ns, &gone, &At(now)];
    connection.run(sql::PLAN_ARCHIVE_BY_ID, &of).await?;
    put_rules(connection, ns, &draft).await?;
    let resources = draft.resource_types.iter();
    let kept: HashSet<&Code> = resources.map(|r| &r.resource_type_code).collect();
    let gone = before.resource_types.keys().filter(|r| !kept.contains(r));
    let gone: Vec<String> = gone.map(ToString::to_string).collect();
    let of: [Value<'_>; 2] = [&ns, &gone];
    connection
        .run(sql::RESOURCE_TYPE_DELETE_UNUSED_BY_CODE, &of)
        .await?;
    Ok(())
}

async fn put_resource_types(connection: &Connection, ns: &str, draft: &CatalogueDraft) -> Read<()> {
    let rows = draft.resource_types.iter().map(|r| {
        json!({
            "namespace_id": ns, "resource_type_code": r.resource_type_code, "description": r.description,
            "default_unit_code": r.default_unit_code, "is_inventory": r.is_inventory,
            "is_concurrency": r.is_concurrency, "is_time_bound": r.is_time_bound,
        })
    });
    put(connection, sql::RESOURCE_TYPE_UPSERT_BY_CODE, rows).await?;
    let codes = draft.resource_types.iter();
    let codes: Vec<String> = codes.map(|r| r.resource_type_code.to_string()).collect();
    let of: [Value<'_>; 2] = [&ns, &codes];
    connection
        .run(sql::ALLOWED_UNIT_DELETE_BY_RESOURCE_TYPE, &of)
        .await?;
    let allowed = draft.resource_types.iter().flat_map(|r| {
        r.allowed_units.iter().enumerate().map(move |(position, unit)| {
            json!({
                "namespace_id": ns, "resource_type_code": r.resource_type_code, "unit_code": unit,
                "position": position,
            })
        })
    });
    put(connection, sql::ALLOWED_UNIT_INSERT, allowed).await
}

async fn put_plans(
    connection: &Connection,
    ns: &str,
    draft: &CatalogueDraft,
    now: Timestamp,
) -> Read<()> {
    let plans = draft.plans.iter().map(|plan| {
        json!({
            "namespace_id": ns, "plan_id": plan.plan_id, "plan_name": plan.plan_name,
            "description": plan.description, "is_trial": plan.is_trial, "trial_days": plan.trial_days,
            "is_addon": plan.is_addon, "external_id": plan.external_id, "status": plan.status,
            "created_at": time(now), "updated_at": time(now),
        })
    });
    put(connection, sql::PLAN_UPSERT_BY_ID, plans).await?;
    let ids: Vec<String> = draft
        .plans
        .iter()
        .map(|plan| plan.plan_id.to_string())
        .collect();
    let of: [Value<'_>; 2] = [&ns, &ids];
    connection.run(sql::TEMPLATE_DELETE_BY_PLAN, &of).await?;
    let templates = draft.plans.iter().flat_map(|plan| {
        plan.templates.iter().enumerate().map(move |(position, t)| {
            json!({
                "namespace_id": ns, "template_id": t.template_id, "plan_id": plan.plan_id,
                "position": position, "resource_type_code": t.resource_type_code,
                "resource_scope": t.resource_scope, "limit_kind_code": t.limit_kind_code.as_str(),
                "quantity_allowed": optional_quantity(t.quantity_allowed), "per_seat": t.per_seat,
                "unit_code": t.unit_code, "window_type_code": t.window_type_code,
                "duration_days": t.duration_days, "priority": t.priority,
            })
        })
    });
    put(connection, sql::TEMPLATE_INSERT, templates).await
}

async fn put_rules(connection: &Connection, ns: &str, draft: &CatalogueDraft) -> Read<()> {
    connection
        .run(sql::RULE_DELETE_BY_NAMESPACE, &[&ns])
        .await?;
    let rules = draft.rules.iter().enumerate().map(|(position, rule)| {
        json!({
            "namespace_id": ns, "rule_id": rule.rule_id, "rule_name": rule.rule_name,
            "position": position, "resource_type_code": rule.resource_type_code,
            "resource_scope": rule.resource_scope, "limit_kind_code": rule.limit_kind_code.as_str(),
            "limit_action_code": rule.limit_action_code.as_str(),
            "warn_at_percent": optional_quantity(rule.warn_at_percent),
            "grace_quantity": optional_quantity(rule.grace_quantity),
            "grace_window_hours": rule.grace_window_hours,
            "overage_multiplier": optional_quantity(rule.overage_multiplier), "priority": rule.priority,
            "is_active": rule.is_active, "created_at": time(rule.created_at),
        })
    });
    put(connection, sql::RULE_INSERT, rules).await?;
    let conditions = draft.rules.iter().flat_map(|rule| {
        rule.conditions
            .iter()
            .enumerate()
            .map(move |(position, condition)| {
                json!({
                    "namespace_id": ns, "rule_id": rule.rule_id, "position": position,
                    "condition_key": condition.key, "condition_op": condition.op.as_str(),
                    "condition_value": condition.value,
                })
            })
    });
    put(connection, sql::RULE_CONDITION_INSERT, conditions).await
}
