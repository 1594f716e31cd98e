//! What is on offer: rules, plans, and the kinds and conditions that they and entitlements have.

use mec_core::Quantity;
use mec_core::condition::{Condition, ConditionOp};
use mec_core::entitlement::LimitKind;
use mec_core::plan::{Plan, Template};
use mec_core::rule::{LimitAction, Rule};
use uuid::Uuid;

use super::commands::{PLANS, RESOURCES, index, resource, scope};
use super::history::{RuleRow, What};
use super::play::Play;

pub fn rule(at: usize, row: &RuleRow, play: &Play) -> Rule {
    let actions = [
        LimitAction::Block,
        LimitAction::Warn,
        LimitAction::Grace,
        LimitAction::Overage,
    ];
    let what = What {
        who: 0,
        resource: row.resource,
        scope: row.scope,
        context: 0,
    };
    // Named anew each time, so that a rule is never taken for one that was there before.
    let number = (play.here.keyed.len() as u128) << 60 | play.clock.as_micros() as u128;
    let rule_id = Uuid::from_u128((9 << 100) + (number << 8) + at as u128);
    Rule {
        rule_id,
        rule_name: rule_id.to_string(),
        resource_type_code: resource(play, what),
        resource_scope: scope(what),
        limit_kind_code: kind(index(play, row.resource), row.kind),
        limit_action_code: actions[row.action],
        warn_at_percent: row.warn_at.map(Quantity::from_int),
        grace_quantity: row.grace.map(Quantity::from_int),
        grace_window_hours: row.hours,
        overage_multiplier: row.grace.map(|_| Quantity::from_micros(1_500_000)),
        priority: row.priority,
        is_active: true,
        created_at: play.clock,
        conditions: conditions(row.condition),
    }
}

pub fn plans() -> Vec<Plan> {
    type Row = (usize, usize, Option<i64>, bool, &'static str);
    let plan = |at: usize, rows: &[Row]| Plan {
        plan_id: PLANS[at].into(),
        plan_name: PLANS[at].into(),
        description: String::new(),
        is_trial: PLANS[at] == "trial",
        trial_days: (PLANS[at] == "trial").then_some(14),
        is_addon: PLANS[at] == "more",
        external_id: None,
        status: "active".into(),
        templates: rows
            .iter()
            .enumerate()
            .map(
                |(nth, (resource, natural, allowed, per_seat, window))| Template {
                    template_id: Uuid::from_u128((8 << 100) + (at * 16 + nth) as u128),
                    resource_type_code: RESOURCES[*resource].into(),
                    resource_scope: None,
                    limit_kind_code: kind(*resource, *natural),
                    quantity_allowed: allowed.map(Quantity::from_int),
                    per_seat: *per_seat,
                    unit_code: ["count", "hours", "count", "count", "days"][*resource].into(),
                    window_type_code: (*window).into(),
                    duration_days: None,
                    priority: 0,
                },
            )
            .collect(),
    };
    vec![
        plan(
            0,
            &[
                (0, 0, Some(10), false, "calendar_month"),
                (1, 0, Some(5), false, "billing_cycle"),
                (2, 0, Some(2), false, "none"),
                (3, 0, Some(3), false, "none"),
            ],
        ),
        plan(
            1,
            &[
                (0, 0, Some(20), false, "calendar_month"),
                (0, 0, Some(4), false, "calendar_day"),
                (1, 0, Some(2), true, "billing_cycle"),
                (2, 0, None, false, "none"),
            ],
        ),
        plan(2, &[(0, 0, Some(5), true, "calendar_month")]),
        plan(
            3,
            &[
                (4, 0, None, false, "none"),
                (0, 0, Some(3), false, "rolling_7d"),
            ],
        ),
    ]
}

/// The kind that fits the resource, or another.
pub fn kind(resource: usize, kind: usize) -> LimitKind {
    match (kind, RESOURCES[resource]) {
        (1, _) | (0, "platform_access") => LimitKind::TimeAccess,
        (3, _) | (0, "concurrent_users") => LimitKind::Concurrency,
        (0, "server_configs") => LimitKind::Inventory,
        _ => LimitKind::Cumulative,
    }
}

pub fn conditions(index: usize) -> Vec<Condition> {
    let rows = [
        ("tier", ConditionOp::Eq, "1"),
        ("tier", ConditionOp::Ne, "1"),
        ("tier", ConditionOp::In, "1,x"),
        ("tier", ConditionOp::Gte, "2"),
        ("mec.account_type", ConditionOp::Eq, "user"),
        ("mec.plan_id", ConditionOp::Exists, ""),
        ("tier", ConditionOp::NotIn, "2,x"),
    ];
    let row = index.checked_sub(1).map(|index| rows[index]);
    row.into_iter()
        .map(|(key, op, value)| Condition {
            key: key.into(),
            op,
            value: Some(value.into()),
        })
        .collect()
}
