//! The rules and plans of a row as rows of a catalogue.

use mec_cases::Step;
use mec_core::condition::{Condition, ConditionOp};
use mec_core::entitlement::LimitKind;
use mec_core::plan::{Plan, Template};
use mec_core::rule::{LimitAction, Rule};
use mec_core::{Quantity, Timestamp};
use uuid::Uuid;

pub fn quantity(text: &str) -> Option<Quantity> {
    (text != "unlimited").then(|| Quantity::parse(text).unwrap())
}

pub fn kind(text: &str) -> LimitKind {
    LimitKind::parse(text).unwrap_or_else(|| panic!("there is no limit kind {text}"))
}

pub fn number<N: std::str::FromStr<Err: std::fmt::Debug>>(step: &Step, option: &str) -> Option<N> {
    step.option(option).map(|text| text.parse().unwrap())
}

pub fn conditions(step: &Step) -> Vec<Condition> {
    let condition = |[key, op, value]: &[String; 3]| Condition {
        key: key.clone(),
        op: ConditionOp::parse(op).unwrap_or_else(|| panic!("there is no operator {op}")),
        value: (op != "exists").then(|| value.clone()),
    };
    step.conditions.iter().map(condition).collect()
}

/// The rules of a row, each a second younger than the one before.
pub fn rules(steps: &[&Step]) -> Vec<Rule> {
    let rule = |(number, step): (i64, &&Step)| Rule {
        rule_id: Uuid::now_v7(),
        rule_name: format!("rule {number}"),
        resource_type_code: step.word(2).into(),
        resource_scope: step.option("scope").map(Into::into),
        limit_kind_code: kind(step.word(1)),
        limit_action_code: LimitAction::parse(step.word(0)).unwrap(),
        warn_at_percent: step.option("warn").and_then(quantity),
        grace_quantity: step.option("grace").and_then(quantity),
        grace_window_hours: self::number(step, "hours"),
        overage_multiplier: step.option("multiplier").and_then(quantity),
        priority: self::number(step, "priority").unwrap_or(0),
        is_active: !step.has("inactive"),
        created_at: Timestamp::from_micros(number * Timestamp::MICROS_PER_SECOND),
        conditions: conditions(step),
    };
    (1..).zip(steps).map(rule).collect()
}

/// The plans of a row's offers, each offer a template.
pub fn plans(offers: &[&Step]) -> Vec<Plan> {
    let mut plans: Vec<Plan> = Vec::new();
    for offer in offers {
        let template = Template {
            template_id: Uuid::now_v7(),
            resource_type_code: offer.word(3).into(),
            resource_scope: offer.option("scope").map(Into::into),
            limit_kind_code: kind(offer.word(1)),
            quantity_allowed: quantity(offer.word(2)),
            per_seat: offer.has("per_seat"),
            unit_code: offer.option("unit").unwrap_or("count").into(),
            window_type_code: offer.option("per").unwrap_or("none").into(),
            duration_days: number(offer, "days"),
            priority: number(offer, "priority").unwrap_or(0),
        };
        match plans
            .iter_mut()
            .find(|plan| &*plan.plan_id == offer.word(0))
        {
            Some(plan) => plan.templates.push(template),
            None => plans.push(Plan {
                plan_id: offer.word(0).into(),
                plan_name: offer.word(0).to_owned(),
                description: String::new(),
                is_trial: offer.option("trial").is_some(),
                trial_days: number(offer, "trial"),
                is_addon: offer.has("addon"),
                external_id: None,
                status: "active".to_owned(),
                templates: vec![template],
            }),
        }
    }
    plans
}
