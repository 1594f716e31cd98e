//! The rows that a new installation begins with.

use uuid::Uuid;

use crate::catalogue::{AccountType, Lookups, ResourceType, Unit};
use crate::entitlement::LimitKind;
use crate::ids::IdSource;
use crate::plan::{Plan, Template};
use crate::quantity::Quantity;
use crate::rule::{LimitAction, Rule};
use crate::time::Timestamp;
use crate::window;

/// Units, account types and window types, shared by all namespaces.
pub fn lookups() -> Lookups {
    let units = [
        ("count", "count", "Whole things", 0, "count", 1),
        (
            "requests",
            "requests",
            "Requests to an API",
            0,
            "requests",
            1,
        ),
        (
            "tokens",
            "tokens",
            "Tokens of a language model",
            0,
            "tokens",
            1,
        ),
        ("bytes", "bytes", "Bytes", 0, "bytes", 1),
        ("minutes", "time", "Minutes", 6, "minutes", 1),
        ("hours", "time", "Hours", 6, "minutes", 60),
        ("gpu_hours", "time", "Hours of a GPU", 6, "minutes", 60),
        ("days", "time", "Days of 24 hours", 6, "minutes", 1440),
    ];
    let account_types = [
        ("organization", "A company", true),
        ("team", "A part of a company", true),
        ("user", "A person", false),
    ];
    Lookups {
        version: 1,
        units: units
            .into_iter()
            .map(|(code, category, description, scale, base, factor)| Unit {
                unit_code: code.into(),
                unit_category: category.into(),
                description: description.into(),
                scale,
                base_unit_code: base.into(),
                base_factor: factor,
            })
            .map(|unit| (unit.unit_code.clone(), unit))
            .collect(),
        window_types: window::seeded()
            .into_iter()
            .map(|window_type| (window_type.code.clone(), window_type))
            .collect(),
        account_types: account_types
            .into_iter()
            .map(|(code, description, can_have_children)| AccountType {
                account_type_code: code.into(),
                description: description.into(),
                can_have_children,
            })
            .map(|account_type| (account_type.account_type_code.clone(), account_type))
            .collect(),
    }
}

/// The resource types of the namespace `default`.
pub fn resource_types() -> Vec<ResourceType> {
    const METERED: (bool, bool, bool) = (false, false, false);
    const INVENTORY: (bool, bool, bool) = (true, false, false);
    const CONCURRENCY: (bool, bool, bool) = (false, true, false);
    const TIME_BOUND: (bool, bool, bool) = (false, false, true);
    let rows: [(&str, &str, &[&str], (bool, bool, bool)); 12] = [
        (
            "platform_access",
            "Access to the platform for a time",
            &["days", "hours"],
            TIME_BOUND,
        ),
        (
            "concurrent_users",
            "Users at work at the same time",
            &["count"],
            CONCURRENCY,
        ),
        (
            "named_users",
            "Users with a seat of their own",
            &["count"],
            INVENTORY,
        ),
        ("benchmark_runs", "Runs of a benchmark", &["count"], METERED),
        (
            "gpu_hours",
            "Time on a GPU",
            &["hours", "minutes", "gpu_hours"],
            METERED,
        ),
        (
            "server_configs",
            "Stored server configurations",
            &["count"],
            INVENTORY,
        ),
        (
            "server_instances",
            "Servers under management",
            &["count"],
            INVENTORY,
        ),
        (
            "ai_models",
            "Models under management",
            &["count"],
            INVENTORY,
        ),
        (
            "api_requests",
            "Requests to the API",
            &["requests"],
            METERED,
        ),
        (
            "reports_generated",
            "Reports generated",
            &["count"],
            METERED,
        ),
        (
            "concurrent_jobs",
            "Jobs at work at the same time",
            &["count"],
            CONCURRENCY,
        ),
        (
            "llm_tokens",
            "Tokens of a language model",
            &["tokens"],
            METERED,
        ),
    ];
    rows.into_iter()
        .map(
            |(code, description, units, (is_inventory, is_concurrency, is_time_bound))| {
                ResourceType {
                    resource_type_code: code.into(),
                    description: description.into(),
                    default_unit_code: units.first().copied().unwrap_or_default().into(),
                    is_inventory,
                    is_concurrency,
                    is_time_bound,
                    allowed_units: units.iter().map(|unit| (*unit).into()).collect(),
                }
            },
        )
        .collect()
}

/// The sample plans of the namespace `default`.
pub fn plans(ids: &mut dyn IdSource) -> Vec<Plan> {
    const UNLIMITED: Option<i64> = None;
    let plan = |id: &str,
                name: &str,
                description: &str,
                trial_days: Option<u32>,
                templates: Vec<Template>| Plan {
        plan_id: id.into(),
        plan_name: name.into(),
        description: description.into(),
        is_trial: trial_days.is_some(),
        trial_days,
        is_addon: false,
        external_id: None,
        status: "active".into(),
        templates,
    };
    let mut quotas = |users, runs, hours, configs, instances: Option<Option<i64>>, days| {
        let mut templates = vec![
            template(
                ids.next_id(),
                "concurrent_users",
                LimitKind::Concurrency,
                users,
                "none",
                days,
            ),
            template(
                ids.next_id(),
                "benchmark_runs",
                LimitKind::Cumulative,
                runs,
                "calendar_month",
                days,
            ),
            template(
                ids.next_id(),
                "gpu_hours",
                LimitKind::Cumulative,
                hours,
                "calendar_month",
                days,
            ),
            template(
                ids.next_id(),
                "server_configs",
                LimitKind::Inventory,
                configs,
                "none",
                days,
            ),
        ];
        if let Some(instances) = instances {
            templates.push(template(
                ids.next_id(),
                "server_instances",
                LimitKind::Inventory,
                instances,
                "none",
                days,
            ));
        }
        templates
    };
    let mut trial = quotas(Some(2), Some(50), Some(10), Some(1), None, Some(14));
    let starter = quotas(Some(3), Some(100), Some(25), Some(2), Some(Some(10)), None);
    let pro = quotas(
        Some(10),
        Some(500),
        Some(100),
        Some(5),
        Some(UNLIMITED),
        None,
    );
    let enterprise = quotas(
        UNLIMITED,
        Some(5000),
        Some(1000),
        UNLIMITED,
        Some(UNLIMITED),
        None,
    );
    trial.insert(
        0,
        template(
            ids.next_id(),
            "platform_access",
            LimitKind::TimeAccess,
            None,
            "none",
            Some(14),
        ),
    );
    vec![
        plan(
            "trial-14d",
            "Trial",
            "Everything in small for 14 days",
            Some(14),
            trial,
        ),
        plan("starter", "Starter", "For a first team", None, starter),
        plan("pro", "Pro", "For a company at work", None, pro),
        plan(
            "enterprise",
            "Enterprise",
            "For a company at scale",
            None,
            enterprise,
        ),
    ]
}

/// The rules of the namespace `default`.
pub fn rules(ids: &mut dyn IdSource, now: Timestamp) -> Vec<Rule> {
    let rows = [
        (
            "benchmark_runs_block",
            "benchmark_runs",
            LimitKind::Cumulative,
            80,
        ),
        ("gpu_hours_block", "gpu_hours", LimitKind::Cumulative, 80),
        (
            "concurrent_users_block",
            "concurrent_users",
            LimitKind::Concurrency,
            90,
        ),
    ];
    rows.into_iter()
        .map(|(name, resource, kind, warn_at)| Rule {
            rule_id: ids.next_id(),
            rule_name: name.into(),
            resource_type_code: resource.into(),
            resource_scope: None,
            limit_kind_code: kind,
            limit_action_code: LimitAction::Block,
            warn_at_percent: Some(Quantity::from_int(warn_at)),
            grace_quantity: None,
            grace_window_hours: None,
            overage_multiplier: None,
            priority: 0,
            is_active: true,
            created_at: now,
            conditions: Vec::new(),
        })
        .collect()
}

fn template(
    id: Uuid,
    resource: &str,
    kind: LimitKind,
    quantity: Option<i64>,
    window_type: &str,
    days: Option<u32>,
) -> Template {
    let unit = match resource {
        "platform_access" => "days",
        "gpu_hours" => "hours",
        _ => "count",
    };
    Template {
        template_id: id,
        resource_type_code: resource.into(),
        resource_scope: None,
        limit_kind_code: kind,
        quantity_allowed: quantity.map(Quantity::from_int),
        per_seat: false,
        unit_code: unit.into(),
        window_type_code: window_type.into(),
        duration_days: days,
        priority: 0,
    }
}
