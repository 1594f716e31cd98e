//! What one limit says to a request, and whether its grace clock runs.

use super::Judged;
use crate::book::Part;
use crate::catalogue::Catalogue;
use crate::change::GraceClock;
use crate::entitlement::LimitKind;
use crate::figures::{Figures, figures, percent_used};
use crate::limits::{Limit, LimitFacts, Query};
use crate::need::Stop;
use crate::resets::resets_at;
use crate::rule::{self, LimitAction, Rule};
use crate::time::Timestamp;
use crate::verdict::{DecisionCode, Verdict};
use crate::window::WindowMode;

pub(super) fn judge_limit<'a>(
    catalogue: &'a Catalogue,
    levels: &[&'a Part],
    query: &Query<'_>,
    limit: Limit<'a>,
    requested: i128,
    now: Timestamp,
) -> Result<Judged<'a>, Stop> {
    let figures = figures(&limit, query, now)?;
    let rule = rule_for(catalogue, levels, query, &limit);
    let (verdict, code) = match (limit.kind, limit.allowed) {
        (LimitKind::TimeAccess, _) => (Verdict::Allow, DecisionCode::WithinAccessWindow),
        (_, None) => (Verdict::Allow, DecisionCode::Unlimited),
        (_, Some(allowed)) if figures.remaining(allowed) >= requested => {
            enough(rule, &figures, allowed)
        }
        (_, Some(allowed)) => {
            let above = figures.lacking(allowed, requested);
            not_enough(catalogue, query, &limit, rule, &figures, above, now)
        }
    };
    let resets_at = match verdict {
        Verdict::Deny => resets_at(&limit, query, &figures, requested, now)?,
        _ => None,
    };
    Ok(Judged {
        limit,
        figures,
        verdict,
        code,
        rule,
        resets_at,
    })
}

/// The rule for a limit in the context of a request.
fn rule_for<'a>(
    catalogue: &'a Catalogue,
    levels: &[&Part],
    query: &Query<'_>,
    limit: &Limit<'_>,
) -> Option<&'a Rule> {
    let account = levels.first()?;
    let facts = LimitFacts::new(
        query.context,
        account,
        limit.oldest().and_then(|oldest| oldest.plan_id.as_deref()),
    );
    let rules = catalogue.rules_of(&query.resource.resource_type_code);
    rule::choose(rules, limit.kind, query.scope.map(|scope| &**scope), &facts)
}

fn enough(rule: Option<&Rule>, figures: &Figures, allowed: i128) -> (Verdict, DecisionCode) {
    let warns = rule
        .and_then(|rule| rule.warn_at_percent)
        .is_some_and(|at| percent_used(figures.used, allowed) >= at);
    if warns {
        (Verdict::Warn, DecisionCode::WarnThreshold)
    } else {
        (Verdict::Allow, DecisionCode::WithinEntitlement)
    }
}

fn not_enough(
    catalogue: &Catalogue,
    query: &Query<'_>,
    limit: &Limit<'_>,
    rule: Option<&Rule>,
    figures: &Figures,
    above: i128,
    now: Timestamp,
) -> (Verdict, DecisionCode) {
    let Some(rule) = rule else {
        return (Verdict::Deny, DecisionCode::LimitReached);
    };
    match rule.limit_action_code {
        LimitAction::Block => (Verdict::Deny, DecisionCode::LimitReached),
        LimitAction::Warn => (Verdict::Warn, DecisionCode::SoftLimit),
        LimitAction::Overage => (Verdict::Overage, DecisionCode::Overage),
        LimitAction::Grace => {
            let factor = grace_factor(catalogue, query, limit.kind);
            let grace = rule
                .grace_quantity
                .map(|quantity| quantity.micros().saturating_mul(factor));
            let within_quantity = grace.is_none_or(|grace| above <= grace);
            let clock = limit
                .part
                .grace_clock(&limit.key(&query.resource.resource_type_code));
            let within_time = match (
                rule.grace_window_hours,
                clock.filter(|clock| runs(limit, clock, figures.used)),
            ) {
                (Some(hours), Some(clock)) => {
                    now.micros_since(clock.since)
                        <= i64::from(hours).saturating_mul(Timestamp::MICROS_PER_HOUR)
                }
                _ => true,
            };
            if within_quantity && within_time {
                (Verdict::Grace, DecisionCode::WithinGrace)
            } else {
                (Verdict::Deny, DecisionCode::GraceExceeded)
            }
        }
    }
}

/// Slots have no unit; other quantities of a rule are in the resource's default unit.
fn grace_factor(catalogue: &Catalogue, query: &Query<'_>, kind: LimitKind) -> i128 {
    match kind {
        LimitKind::Concurrency => 1,
        _ => i128::from(catalogue.factor_of(&query.resource.default_unit_code)),
    }
}

/// Whether a grace clock still runs: usage is above the limit, and for calendar and anniversary
/// windows it was started in the present one. Usage of a rolling window and slots of leases fall
/// back by themselves, without a write that could clear the clock.
pub fn runs(limit: &Limit<'_>, clock: &GraceClock, used: i128) -> bool {
    let in_window = match limit.window_type.mode {
        WindowMode::Calendar | WindowMode::Anniversary => clock.window_start == limit.window.start,
        WindowMode::Rolling | WindowMode::None => true,
    };
    in_window && limit.allowed.is_some_and(|allowed| used > allowed)
}
