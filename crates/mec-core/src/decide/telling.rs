//! The decision as it is told: the figures of the limit that decides, and what all of them saw.

use super::{Judged, Judgement};
use crate::answer::{Decision, LimitView, Quota};
use crate::catalogue::Catalogue;
use crate::entitlement::LimitKind;
use crate::figures::{Figures, percent_used};
use crate::limits::Limit;
use crate::quantity::Quantity;
use crate::refusal::Refusal;
use crate::time::Timestamp;
use crate::verdict::{DecisionCode, Verdict};

/// What a granted write did to the figures of the deciding limit.
#[derive(Clone, Copy, Debug, Default)]
pub struct Effect {
    /// What it added to used, in the base unit.
    pub used: i128,
    /// What it added to reserved.
    pub reserved: i128,
    /// What it drew from grants: it counts as granted no more, and not as used either.
    pub drawn: i128,
}

/// The decision as it is told. `requested` is in the base unit; `effect` is what a granted write did.
pub fn decision(
    catalogue: &Catalogue,
    judgement: &Judgement<'_>,
    requested: i128,
    effect: Effect,
    now: Timestamp,
    explain: bool,
) -> Result<Decision, Refusal> {
    let (code, entitlement_id, resets_at) = match judgement {
        Judgement::Denied {
            code,
            entitlement_id,
            resets_at,
            ..
        } => (*code, *entitlement_id, *resets_at),
        Judgement::Decided { .. } => match judgement.deciding() {
            Some(judged) => (
                judged.code,
                judged.limit.oldest().map(|oldest| oldest.entitlement_id),
                judged.resets_at,
            ),
            None => (DecisionCode::NoEntitlement, None, None),
        },
    };
    let mut told = Decision {
        decision: judgement.verdict(),
        code,
        reason: code.reason(),
        entitlement_id,
        quantity_allowed: None,
        quantity_used: None,
        quantity_reserved: None,
        quantity_remaining: None,
        percent_used: None,
        limit_kind: None,
        rule_id: None,
        limit_action: None,
        window_start: None,
        window_end: None,
        resets_at,
        retry_after_seconds: None,
        overage_quantity: None,
        overage_multiplier: None,
        limits: None,
        degraded: false,
        quota: None,
    };
    if told.decision == Verdict::Deny {
        told.retry_after_seconds = resets_at.map(|at| seconds_until(at, now));
    }
    if let Some(judged) = judgement.deciding() {
        tell_limit(catalogue, judged, requested, effect, now, &mut told);
    }
    if explain {
        told.limits = Some(views(catalogue, judgement));
    }
    Ok(told)
}

fn tell_limit(
    catalogue: &Catalogue,
    judged: &Judged<'_>,
    requested: i128,
    effect: Effect,
    now: Timestamp,
    told: &mut Decision,
) {
    let limit = &judged.limit;
    let in_unit = |amount| in_unit_of(catalogue, limit, amount);
    told.limit_kind = Some(limit.kind);
    told.rule_id = judged.rule.map(|rule| rule.rule_id);
    told.limit_action = judged.rule.map(|rule| rule.limit_action_code);
    if limit.kind == LimitKind::TimeAccess {
        return;
    }
    let after = Figures {
        used: judged
            .figures
            .used
            .saturating_add(effect.used)
            .saturating_sub(effect.drawn),
        reserved: judged.figures.reserved.saturating_add(effect.reserved),
        granted: judged.figures.granted.saturating_sub(effect.drawn),
    };
    told.window_start = limit.window.start;
    told.window_end = limit.window.end;
    told.quantity_used = Some(in_unit(after.used));
    told.quantity_reserved = Some(in_unit(after.reserved));
    let Some(allowed) = limit.allowed else { return };
    told.quantity_allowed = Some(in_unit(allowed));
    told.quantity_remaining = Some(in_unit(after.remaining(allowed)));
    told.percent_used = Some(percent_used(judged.figures.used, allowed));
    if judged.verdict == Verdict::Overage {
        let above = judged.figures.lacking(allowed, requested).min(requested);
        told.overage_quantity = Some(in_unit(above));
        told.overage_multiplier = judged.rule.and_then(|rule| rule.overage_multiplier);
    }
    let granted = told.decision != Verdict::Deny;
    let is_check = effect.used == 0 && effect.reserved == 0;
    let left = judged
        .figures
        .remaining(allowed)
        .saturating_sub(if granted { requested } else { 0 });
    let left = if is_check {
        left.max(0)
    } else {
        after.remaining(allowed)
    };
    told.quota = Some(Quota {
        limit: in_unit(allowed).floor_int(),
        remaining: in_unit(left).floor_int(),
        window_seconds: limit
            .window
            .start
            .zip(limit.window.end)
            .map(|(start, end)| seconds_until(end, start)),
        reset_seconds: limit
            .window
            .end
            .filter(|_| !limit.is_rolling())
            .map(|end| seconds_until(end, now)),
    });
}

/// An amount of a limit in the unit in which the limit is told; slots have none.
pub(crate) fn in_unit_of(catalogue: &Catalogue, limit: &Limit<'_>, amount: i128) -> Quantity {
    match limit.kind {
        LimitKind::Concurrency => Quantity::from_micros(amount),
        _ => catalogue.in_unit(amount, limit.unit),
    }
}

fn views(catalogue: &Catalogue, judgement: &Judgement<'_>) -> Vec<LimitView> {
    let (Judgement::Decided { all, .. } | Judgement::Denied { all, .. }) = judgement;
    let view = |judged: &Judged<'_>| {
        let in_unit = |amount| in_unit_of(catalogue, &judged.limit, amount);
        LimitView {
            account_id: judged.limit.part.id(),
            level: judged.limit.level,
            limit_kind: judged.limit.kind,
            window_type: judged.limit.window_type.code.clone(),
            resource_scope: judged.limit.scope.cloned(),
            entitlement_ids: judged
                .limit
                .members
                .iter()
                .map(|member| member.entitlement_id)
                .collect(),
            used: in_unit(judged.figures.used),
            reserved: in_unit(judged.figures.reserved),
            granted: in_unit(judged.figures.granted),
            allowed: judged.limit.allowed.map(in_unit),
            window_start: judged.limit.window.start,
            window_end: judged.limit.window.end,
            decision: judged.verdict,
            code: judged.code,
        }
    };
    all.iter().map(view).collect()
}

/// Whole seconds from a moment until another, rounded up, at least 0.
fn seconds_until(at: Timestamp, now: Timestamp) -> i64 {
    let micros = at.micros_since(now).max(0);
    micros.saturating_add(Timestamp::MICROS_PER_SECOND - 1) / Timestamp::MICROS_PER_SECOND
}
