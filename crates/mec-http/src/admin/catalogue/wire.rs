//! The catalogue as JSON: twins of the core's rows, with the contract's column names.

use mec_core::catalogue::{Catalogue, ResourceType};
use mec_core::plan::{Plan, Template};
use mec_core::rule::Rule;
use mec_core::{Code, Quantity};
use serde::Serialize;
use utoipa::ToSchema;

use crate::admin::lookups::{AccountTypeRow, LookupsDocument, UnitRow, WindowTypeRow};

/// The catalogue of a namespace.
#[derive(Debug, Serialize, ToSchema)]
pub struct CatalogueDocument {
    /// Rises with every change. Where it is sent, another version at hand is refused.
    pub version: Option<u64>,
    pub resource_types: Vec<ResourceTypeRow>,
    pub plans: Vec<PlanRow>,
    pub control_rules: Vec<ControlRuleRow>,
    /// Shared by all namespaces, read only.
    pub units: Option<Vec<UnitRow>>,
    /// Shared by all namespaces, read only.
    pub window_types: Option<Vec<WindowTypeRow>>,
    /// Shared by all namespaces, read only.
    pub account_types: Option<Vec<AccountTypeRow>>,
}

/// A row of `resource_types` with its allowed units.
#[derive(Debug, Serialize, ToSchema)]
pub struct ResourceTypeRow {
    #[schema(value_type = String)]
    resource_type_code: Code,
    description: Option<String>,
    #[schema(value_type = String)]
    default_unit_code: Code,
    /// All of one category; the default unit alone where none are named.
    #[schema(value_type = Option<Vec<String>>)]
    allowed_units: Option<Vec<Code>>,
    is_inventory: Option<bool>,
    is_concurrency: Option<bool>,
    is_time_bound: Option<bool>,
}

/// A row of `plans` with its templates.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlanRow {
    #[schema(value_type = String)]
    plan_id: Code,
    plan_name: Option<String>,
    description: Option<String>,
    is_trial: Option<bool>,
    trial_days: Option<u32>,
    is_addon: Option<bool>,
    /// The Stripe price or product it is sold as.
    external_id: Option<String>,
    /// `active` or `archived`; an archived plan is not provisioned anew.
    status: Option<String>,
    templates: Option<Vec<TemplateRow>>,
}

/// A row of `plan_entitlement_templates`.
#[derive(Debug, Serialize, ToSchema)]
pub struct TemplateRow {
    #[schema(value_type = String)]
    resource_type_code: Code,
    #[schema(value_type = Option<String>)]
    resource_scope: Option<Code>,
    limit_kind_code: String,
    /// Null or the text `unlimited` for no bound.
    #[schema(value_type = Option<f64>)]
    quantity_allowed: Option<Quantity>,
    per_seat: Option<bool>,
    #[schema(value_type = Option<String>)]
    unit_code: Option<Code>,
    #[schema(value_type = Option<String>)]
    window_type_code: Option<Code>,
    duration_days: Option<u32>,
    priority: Option<i32>,
}

/// A row of `control_rules` with its conditions.
#[derive(Debug, Serialize, ToSchema)]
pub struct ControlRuleRow {
    rule_name: String,
    #[schema(value_type = String)]
    resource_type_code: Code,
    #[schema(value_type = Option<String>)]
    resource_scope: Option<Code>,
    limit_kind_code: String,
    limit_action_code: String,
    #[schema(value_type = Option<f64>)]
    warn_at_percent: Option<Quantity>,
    #[schema(value_type = Option<f64>)]
    grace_quantity: Option<Quantity>,
    grace_window_hours: Option<u32>,
    #[schema(value_type = Option<f64>)]
    overage_multiplier: Option<Quantity>,
    priority: Option<i32>,
    is_active: Option<bool>,
    conditions: Option<Vec<ConditionRow>>,
}

/// A row of `control_rule_conditions`.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConditionRow {
    condition_key: String,
    condition_op: String,
    /// A number, boolean or list is taken, too, and kept as it is written.
    condition_value: Option<String>,
}

impl From<&Catalogue> for CatalogueDocument {
    fn from(catalogue: &Catalogue) -> Self {
        let mut resource_types: Vec<&ResourceType> = catalogue.resource_types.values().collect();
        resource_types.sort_by(|a, b| a.resource_type_code.cmp(&b.resource_type_code));
        let mut plans: Vec<&Plan> = catalogue.plans.values().collect();
        plans.sort_by(|a, b| a.plan_id.cmp(&b.plan_id));
        let mut rules: Vec<&Rule> = catalogue.rules.values().flatten().collect();
        rules.sort_by_key(|rule| (rule.created_at, rule.rule_id));
        let LookupsDocument {
            units,
            window_types,
            account_types,
            ..
        } = LookupsDocument::from(&*catalogue.lookups);
        Self {
            version: Some(catalogue.version),
            resource_types: resource_types.into_iter().map(Into::into).collect(),
            plans: plans.into_iter().map(Into::into).collect(),
            control_rules: rules.into_iter().map(Into::into).collect(),
            units,
            window_types,
            account_types,
        }
    }
}

impl From<&ResourceType> for ResourceTypeRow {
    fn from(row: &ResourceType) -> Self {
        Self {
            resource_type_code: row.resource_type_code.clone(),
            description: Some(row.description.clone()),
            default_unit_code: row.default_unit_code.clone(),
            allowed_units: Some(row.allowed_units.clone()),
            is_inventory: Some(row.is_inventory),
            is_concurrency: Some(row.is_concurrency),
            is_time_bound: Some(row.is_time_bound),
        }
    }
}

impl From<&Plan> for PlanRow {
    fn from(row: &Plan) -> Self {
        Self {
            plan_id: row.plan_id.clone(),
            plan_name: Some(row.plan_name.clone()),
            description: Some(row.description.clone()),
            is_trial: Some(row.is_trial),
            trial_days: row.trial_days,
            is_addon: Some(row.is_addon),
            external_id: row.external_id.clone(),
            status: Some(row.status.clone()),
            templates: Some(row.templates.iter().map(Into::into).collect()),
        }
    }
}

impl From<&Template> for TemplateRow {
    fn from(row: &Template) -> Self {
        Self {
            resource_type_code: row.resource_type_code.clone(),
            resource_scope: row.resource_scope.clone(),
            limit_kind_code: row.limit_kind_code.as_str().to_owned(),
            quantity_allowed: row.quantity_allowed,
            per_seat: Some(row.per_seat),
            unit_code: Some(row.unit_code.clone()),
            window_type_code: Some(row.window_type_code.clone()),
            duration_days: row.duration_days,
            priority: Some(row.priority),
        }
    }
}

impl From<&Rule> for ControlRuleRow {
    fn from(row: &Rule) -> Self {
        let conditions = row.conditions.iter().map(|condition| ConditionRow {
            condition_key: condition.key.clone(),
            condition_op: condition.op.as_str().to_owned(),
            condition_value: condition.value.clone(),
        });
        Self {
            rule_name: row.rule_name.clone(),
            resource_type_code: row.resource_type_code.clone(),
            resource_scope: row.resource_scope.clone(),
            limit_kind_code: row.limit_kind_code.as_str().to_owned(),
            limit_action_code: row.limit_action_code.as_str().to_owned(),
            warn_at_percent: row.warn_at_percent,
            grace_quantity: row.grace_quantity,
            grace_window_hours: row.grace_window_hours,
            overage_multiplier: row.overage_multiplier,
            priority: Some(row.priority),
            is_active: Some(row.is_active),
            conditions: Some(conditions.collect()),
        }
    }
}
