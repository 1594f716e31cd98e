//! The decision: may this account do this? The cases stand in the order in which they are told.

use smallvec::SmallVec;

use crate::account::AccountStatus;
use crate::answer::{Decision, LimitView, Quota};
use crate::book::Part;
use crate::catalogue::Catalogue;
use crate::change::GraceClock;
use crate::entitlement::LimitKind;
use crate::figures::{Figures, figures, percent_used};
use crate::limits::{Limit, LimitFacts, Query, applicable};
use crate::need::Stop;
use crate::quantity::Quantity;
use crate::refusal::Refusal;
use crate::resets::resets_at;
use crate::rule::{self, LimitAction, Rule};
use crate::time::Timestamp;
use crate::verdict::{DecisionCode, Verdict};
use crate::window::WindowMode;

/// What one limit says to a request.
#[derive(Clone, Debug)]
pub struct Judged<'a> {
    /// The limit.
    pub limit: Limit<'a>,
    /// What it counted before the request.
    pub figures: Figures,
    /// Its answer.
    pub verdict: Verdict,
    /// Why.
    pub code: DecisionCode,
    /// The rule that was applied.
    pub rule: Option<&'a Rule>,
    /// When it frees up; worked out for limits that deny and for the one that decides.
    pub resets_at: Option<Timestamp>,
}

/// What all limits together say to a request.
#[derive(Clone, Debug)]
pub enum Judgement<'a> {
    /// Denied before any limit was asked, or by a level none of whose entitlements is in force.
    Denied {
        /// Why.
        code: DecisionCode,
        /// The entitlement that fits the reason.
        entitlement_id: Option<uuid::Uuid>,
        /// When that changes by itself.
        resets_at: Option<Timestamp>,
        /// What the limits of the other levels say, nearest first.
        all: SmallVec<[Judged<'a>; 4]>,
    },
    /// Decided by a limit.
    Decided {
        /// All limits, nearest first.
        all: SmallVec<[Judged<'a>; 4]>,
        /// The index of the one that decides.
        by: usize,
    },
}

impl<'a> Judgement<'a> {
    /// A denial without a limit.
    pub fn denied(code: DecisionCode) -> Self {
        Self::Denied {
            code,
            entitlement_id: None,
            resets_at: None,
            all: SmallVec::new(),
        }
    }

    /// The verdict.
    pub fn verdict(&self) -> Verdict {
        self.deciding()
            .map_or(Verdict::Deny, |judged| judged.verdict)
    }

    /// The limit that decides.
    pub fn deciding(&self) -> Option<&Judged<'a>> {
        match self {
            Self::Denied { .. } => None,
            Self::Decided { all, by } => all.get(*by),
        }
    }
}

/// Judges a request of an amount in the base unit against every limit that applies.
pub fn judge<'a>(
    catalogue: &'a Catalogue,
    levels: &[&'a Part],
    query: &Query<'_>,
    requested: i128,
    now: Timestamp,
) -> Result<Judgement<'a>, Stop> {
    if let Some(code) = not_served(levels) {
        return Ok(Judgement::denied(code));
    }
    let found = applicable(catalogue, levels, query, now)?;
    if found.limits.is_empty() && found.lapses.is_empty() {
        return Ok(Judgement::denied(DecisionCode::NoEntitlement));
    }
    let mut all: SmallVec<[Judged<'a>; 4]> = SmallVec::new();
    for limit in found.limits {
        all.push(judge_limit(
            catalogue, levels, query, limit, requested, now,
        )?);
    }
    let by = all
        .iter()
        .enumerate()
        .min_by(|(_, a), (_, b)| stricter(a, b))
        .map(|(at, _)| at);
    let denied_by = by
        .and_then(|at| all.get(at))
        .filter(|judged| judged.verdict == Verdict::Deny);
    let lapse = found.lapses.iter().min_by_key(|lapse| {
        (
            std::cmp::Reverse(frees(lapse.begins_at)),
            lapse.level,
            lapse.entitlement_id,
        )
    });
    if let Some(lapse) = lapse {
        let lapse_decides = denied_by.is_none_or(|judged| {
            (std::cmp::Reverse(frees(lapse.begins_at)), lapse.level)
                <= (
                    std::cmp::Reverse(frees(judged.resets_at)),
                    judged.limit.level,
                )
        });
        if lapse_decides {
            return Ok(Judgement::Denied {
                code: lapse.code,
                entitlement_id: Some(lapse.entitlement_id),
                resets_at: lapse.begins_at,
                all,
            });
        }
    }
    let by = by.unwrap_or_default();
    if let Some(judged) = all
        .get_mut(by)
        .filter(|judged| judged.verdict != Verdict::Deny)
    {
        judged.resets_at = resets_at(&judged.limit, query, &judged.figures, requested, now)?;
    }
    Ok(Judgement::Decided { all, by })
}

/// Why an account is not served, where it or one above it is suspended or inactive.
pub fn not_served(levels: &[&Part]) -> Option<DecisionCode> {
    levels.iter().find_map(|part| match part.account.status {
        AccountStatus::Active => None,
        AccountStatus::Suspended => Some(DecisionCode::AccountSuspended),
        AccountStatus::Inactive => Some(DecisionCode::AccountInactive),
    })
}

/// A limit that never frees up frees up last.
fn frees(at: Option<Timestamp>) -> Timestamp {
    at.unwrap_or(Timestamp::MAX)
}

/// The order in which limits answer: the strictest; among denying ones the one that frees up last,
/// among others the one with the least left in percent; then the nearest level, then the entitlement.
fn stricter(a: &Judged<'_>, b: &Judged<'_>) -> std::cmp::Ordering {
    let tie = |judged: &Judged<'_>| {
        (
            judged.limit.level,
            judged.limit.oldest().map(|oldest| oldest.entitlement_id),
        )
    };
    b.verdict
        .cmp(&a.verdict)
        .then_with(|| match a.verdict {
            Verdict::Deny => frees(b.resets_at).cmp(&frees(a.resets_at)),
            _ => left_percent(a).cmp(&left_percent(b)),
        })
        .then_with(|| tie(a).cmp(&tie(b)))
}

fn left_percent(judged: &Judged<'_>) -> Quantity {
    let counts = judged.limit.kind != LimitKind::TimeAccess;
    match judged.limit.allowed.filter(|_| counts) {
        // Without an end, or without a quantity, everything is left; such a limit answers last.
        None => Quantity::from_micros(i128::MAX),
        Some(0) => Quantity::ZERO,
        Some(allowed) => {
            let left = Quantity::from_micros(judged.figures.remaining(allowed));
            left.percent_of(Quantity::from_micros(allowed))
                .unwrap_or(Quantity::ZERO)
        }
    }
}

fn judge_limit<'a>(
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

fn in_unit_of(catalogue: &Catalogue, limit: &Limit<'_>, amount: i128) -> Quantity {
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
