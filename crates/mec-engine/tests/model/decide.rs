//! What the limits say, and how it is told.

use std::cmp::Reverse;

use mec_core::entitlement::LimitKind;
use mec_core::rule::{LimitAction, Rule};
use mec_core::verdict::{DecisionCode, Verdict};
use mec_core::{Code, Timestamp};
use serde_json::{Value, json};
use uuid::Uuid;

use super::limits::{Ask, Limit};
use super::naive::{Naive, within};
use super::windows::{self, Span, floor};

const MINUTE: i64 = Timestamp::MICROS_PER_MINUTE;

/// A limit with its answer.
pub struct Seen {
    pub limit: Limit,
    pub verdict: Verdict,
    pub code: DecisionCode,
    pub rule: Option<Rule>,
    pub resets_at: Option<Timestamp>,
}

/// All limits' answers, and whose counts.
pub struct Judged {
    pub verdict: Verdict,
    code: DecisionCode,
    entitlement: Option<Uuid>,
    resets_at: Option<Timestamp>,
    pub seen: Vec<Seen>,
    /// The index of the limit that answers; none where none was asked or a lapse answers.
    pub by: Option<usize>,
}

/// What a granted write does to the figures of the limit that answers.
#[derive(Clone, Copy, Default)]
pub struct Effect {
    pub used: i128,
    pub reserved: i128,
    pub drawn: i128,
}

pub fn denied(code: DecisionCode) -> Judged {
    Judged {
        verdict: Verdict::Deny,
        code,
        entitlement: None,
        resets_at: None,
        seen: Vec::new(),
        by: None,
    }
}

impl Naive {
    pub fn judge(&self, ask: &Ask<'_>) -> Judged {
        let (limits, lapses) = self.limits(ask);
        if limits.is_empty() && lapses.is_empty() {
            return denied(DecisionCode::NoEntitlement);
        }
        let seen: Vec<Seen> = limits.into_iter().map(|l| self.see(l, ask)).collect();
        // Never is the latest of all; a limit without an end or a quantity has everything left.
        let late = |at: Option<Timestamp>| Reverse(at.map_or(i64::MAX, Timestamp::as_micros));
        let lapse = lapses
            .iter()
            .min_by_key(|l| (late(l.begins_at), l.height, l.entitlement));
        let id = |seen: &Seen| seen.limit.members.first().map(|e| e.entitlement_id);
        let refusing = (0..seen.len())
            .filter(|at| seen[*at].verdict == Verdict::Deny)
            .min_by_key(|at| {
                (
                    late(seen[*at].resets_at),
                    seen[*at].limit.height,
                    id(&seen[*at]),
                )
            });
        if let Some(lapse) = lapse {
            let first = refusing.is_none_or(|at| {
                let other = (late(seen[at].resets_at), seen[at].limit.height);
                (late(lapse.begins_at), lapse.height) <= other
            });
            if first {
                return Judged {
                    entitlement: Some(lapse.entitlement),
                    resets_at: lapse.begins_at,
                    // A lapsed level answers, and what the limits saw is told beside it.
                    seen,
                    ..denied(lapse.code)
                };
            }
        }
        let by = refusing.unwrap_or_else(|| {
            let order = |at: &usize| {
                let left = left_percent(&seen[*at].limit);
                (
                    Reverse(seen[*at].verdict),
                    left,
                    seen[*at].limit.height,
                    id(&seen[*at]),
                )
            };
            (0..seen.len()).min_by_key(order).unwrap()
        });
        Judged {
            verdict: seen[by].verdict,
            code: seen[by].code,
            entitlement: id(&seen[by]),
            resets_at: seen[by].resets_at,
            by: Some(by),
            seen,
        }
    }

    fn see(&self, limit: Limit, ask: &Ask<'_>) -> Seen {
        let rule = self.rule(&limit, ask);
        let (verdict, code) = match limit.allowed {
            _ if limit.kind == LimitKind::TimeAccess => {
                (Verdict::Allow, DecisionCode::WithinAccessWindow)
            }
            None => (Verdict::Allow, DecisionCode::Unlimited),
            Some(_) if limit.left().max(0) >= ask.amount => {
                let warn_at = rule.as_ref().and_then(|rule| rule.warn_at_percent);
                if warn_at.is_some_and(|at| percent(&limit) >= at.micros()) {
                    (Verdict::Warn, DecisionCode::WarnThreshold)
                } else {
                    (Verdict::Allow, DecisionCode::WithinEntitlement)
                }
            }
            Some(_) => self.lacking(&limit, rule.as_ref(), ask),
        };
        Seen {
            resets_at: self.resets_at(&limit, ask),
            limit,
            verdict,
            code,
            rule,
        }
    }

    /// The rule of a limit: it is chosen by the scope that is asked for.
    pub fn rule(&self, limit: &Limit, ask: &Ask<'_>) -> Option<Rule> {
        let plan = limit.members.first().and_then(|e| e.plan_id.as_deref());
        let fitting = self.rules.iter().filter(|rule| {
            rule.is_active
                && rule.resource_type_code == *ask.resource
                && rule.limit_kind_code == limit.kind
                && (rule.resource_scope.is_none() || rule.resource_scope.as_ref() == ask.scope)
                && self.all_hold(&rule.conditions, ask, plan)
        });
        let order = |rule: &&Rule| {
            let any = rule.resource_scope.is_none();
            (any, Reverse(rule.priority), rule.created_at, rule.rule_id)
        };
        fitting.min_by_key(order).cloned()
    }

    fn lacking(
        &self,
        limit: &Limit,
        rule: Option<&Rule>,
        ask: &Ask<'_>,
    ) -> (Verdict, DecisionCode) {
        let refused = (Verdict::Deny, DecisionCode::LimitReached);
        let Some(rule) = rule else { return refused };
        match rule.limit_action_code {
            LimitAction::Block => refused,
            LimitAction::Warn => (Verdict::Warn, DecisionCode::SoftLimit),
            LimitAction::Overage => (Verdict::Overage, DecisionCode::Overage),
            LimitAction::Grace => {
                let unit = &self.resource(ask.resource).unwrap().default_unit_code;
                let grace = rule.grace_quantity.map(|q| q.micros() * self.factor(unit));
                let since = self.clock(limit, ask.resource);
                let over = |since: Timestamp| {
                    let hours = rule.grace_window_hours.map(i64::from);
                    let passed = ask.at.as_micros() - since.as_micros();
                    hours.is_some_and(|hours| passed > hours * 60 * MINUTE)
                };
                if grace.is_some_and(|grace| ask.amount - limit.left() > grace)
                    || since.is_some_and(over)
                {
                    (Verdict::Deny, DecisionCode::GraceExceeded)
                } else {
                    (Verdict::Grace, DecisionCode::WithinGrace)
                }
            }
        }
    }

    /// Since when usage is above the limit; none while it is not, or in a window that began since.
    pub fn clock(&self, limit: &Limit, resource: &Code) -> Option<Timestamp> {
        let name = limit.name(resource);
        let (_, since, window) = self.clocks.iter().find(|(of, _, _)| *of == name)?;
        let renews = !limit.is_rolling() && &*limit.window_type != "none";
        let is_above = limit.allowed.is_some_and(|allowed| limit.used > allowed);
        (is_above && (!renews || *window == limit.window.start)).then_some(*since)
    }

    /// When a limit frees up. Nothing but time is taken to pass: grants stay as they are.
    fn resets_at(&self, limit: &Limit, ask: &Ask<'_>) -> Option<Timestamp> {
        let allowed = limit.allowed.filter(|allowed| ask.amount <= *allowed)?;
        let fits = |scope: &Option<Code>| limit.scope.is_none() || *scope == limit.scope;
        if limit.kind == LimitKind::Concurrency {
            let live = self.live_leases(limit.level, ask.resource, ask.at);
            return live.filter(|l| fits(&l.scope)).map(|l| l.expires_at).min();
        }
        if limit.kind != LimitKind::Cumulative {
            return None;
        }
        let Some(length) = windows::rolling_length(&limit.window_type) else {
            return limit.window.end;
        };
        if limit.left() >= ask.amount {
            return None;
        }
        // A minute leaves when the window's start has passed it.
        let leaves = |at: Timestamp| Timestamp::from_micros(floor(at, MINUTE) + MINUTE + length);
        let held: Vec<_> = self
            .open_reservations(limit.level, ask.resource, ask.at)
            .filter(|r| fits(&r.scope))
            .collect();
        let mut moments: Vec<Timestamp> = held.iter().map(|r| r.expires_at).collect();
        moments.extend(held.iter().map(|r| leaves(r.created_at)));
        moments.extend(self.events.iter().map(|e| leaves(e.occurred_at)));
        moments.retain(|moment| ask.at < *moment);
        moments.sort();
        let usage_from = limit.members.first().and_then(|e| e.usage_from);
        moments.into_iter().find(|moment| {
            let start = Timestamp::from_micros(floor(*moment, MINUTE) - length);
            let span = Span {
                start: Some(start).max(usage_from),
                end: None,
            };
            let scope = limit.scope.as_ref();
            let drawn_for = Some(&*limit.window_type);
            let used = self.used(limit.level, ask.resource, scope, span, drawn_for);
            let open = held
                .iter()
                .filter(|r| *moment < r.expires_at && within(span, r.created_at));
            let reserved: i128 = open.map(|r| r.amount).sum();
            allowed + limit.granted - used - reserved >= ask.amount
        })
    }

    /// The decision as it is told.
    pub fn told(&self, judged: &Judged, ask: &Ask<'_>, effect: Effect, explain: bool) -> Value {
        let mut told = json!({
            "decision": judged.verdict, "code": judged.code, "reason": judged.code.reason(),
            "entitlement_id": judged.entitlement, "quantity_allowed": null, "quantity_used": null,
            "quantity_reserved": null, "quantity_remaining": null, "percent_used": null,
            "limit_kind": null, "rule_id": null, "limit_action": null, "window_start": null,
            "window_end": null, "resets_at": judged.resets_at,
        });
        if let (Verdict::Deny, Some(at)) = (judged.verdict, judged.resets_at) {
            told["retry_after_seconds"] = ceil_seconds(at, ask.at).into();
        }
        if let Some(seen) = judged.by.map(|by| &judged.seen[by]) {
            self.tell_limit(seen, ask, effect, &mut told);
        }
        if explain {
            let views = judged.seen.iter().map(|seen| self.view(seen));
            told["limits"] = views.collect();
        }
        told
    }

    fn tell_limit(&self, seen: &Seen, ask: &Ask<'_>, effect: Effect, told: &mut Value) {
        let limit = &seen.limit;
        told["limit_kind"] = json!(limit.kind);
        told["rule_id"] = json!(seen.rule.as_ref().map(|rule| rule.rule_id));
        told["limit_action"] = json!(seen.rule.as_ref().map(|rule| rule.limit_action_code));
        if limit.kind == LimitKind::TimeAccess {
            return;
        }
        let mut after = limit.clone();
        after.used += effect.used - effect.drawn;
        after.granted -= effect.drawn;
        after.reserved += effect.reserved;
        told["window_start"] = json!(limit.window.start);
        told["window_end"] = json!(limit.window.end);
        told["quantity_used"] = self.figure(limit, after.used);
        told["quantity_reserved"] = self.figure(limit, after.reserved);
        let Some(allowed) = limit.allowed else { return };
        told["quantity_allowed"] = self.figure(limit, allowed);
        told["quantity_remaining"] = self.figure(limit, after.left().max(0));
        told["percent_used"] = number(percent(limit));
        if seen.verdict == Verdict::Overage {
            let above = (ask.amount - limit.left()).min(ask.amount);
            told["overage_quantity"] = self.figure(limit, above);
            let multiplier = seen.rule.as_ref().and_then(|rule| rule.overage_multiplier);
            if let Some(multiplier) = multiplier {
                told["overage_multiplier"] = number(multiplier.micros());
            }
        }
    }

    fn view(&self, seen: &Seen) -> Value {
        let limit = &seen.limit;
        let ids: Vec<Uuid> = limit.members.iter().map(|e| e.entitlement_id).collect();
        json!({
            "account_id": limit.level, "level": limit.height, "limit_kind": limit.kind,
            "window_type": limit.window_type, "resource_scope": limit.scope, "entitlement_ids": ids,
            "used": self.figure(limit, limit.used), "reserved": self.figure(limit, limit.reserved),
            "granted": self.figure(limit, limit.granted),
            "allowed": limit.allowed.map(|allowed| self.figure(limit, allowed)),
            "window_start": limit.window.start, "window_end": limit.window.end,
            "decision": seen.verdict, "code": seen.code,
        })
    }

    /// An amount in the limit's unit; slots have none.
    fn figure(&self, limit: &Limit, amount: i128) -> Value {
        let factor = match limit.kind {
            LimitKind::Concurrency => 1,
            _ => self.factor(&limit.unit),
        };
        number(half_even(amount, factor))
    }
}

fn percent(limit: &Limit) -> i128 {
    match limit.allowed.unwrap() {
        0 => 100_000_000,
        allowed => half_even(limit.used * 100_000_000, allowed),
    }
}

/// What is left of an allowance in percent, with what grants add; unlimited is more than any.
fn left_percent(limit: &Limit) -> i128 {
    match limit.allowed {
        None => i128::MAX,
        Some(0) => 0,
        Some(allowed) => half_even(limit.left().max(0) * 100_000_000, allowed),
    }
}

pub fn half_even(amount: i128, factor: i128) -> i128 {
    let (whole, rest) = (amount.div_euclid(factor), amount.rem_euclid(factor));
    match (2 * rest).cmp(&factor) {
        std::cmp::Ordering::Less => whole,
        std::cmp::Ordering::Greater => whole + 1,
        std::cmp::Ordering::Equal => whole + whole.rem_euclid(2),
    }
}

/// Millionths as a JSON number.
pub fn number(micros: i128) -> Value {
    let (sign, size) = (if micros < 0 { "-" } else { "" }, micros.abs());
    let fraction = format!("{:06}", size % 1_000_000);
    let fraction = match fraction.trim_end_matches('0') {
        "" => String::new(),
        digits => format!(".{digits}"),
    };
    serde_json::from_str(&format!("{sign}{}{fraction}", size / 1_000_000)).unwrap()
}

fn ceil_seconds(at: Timestamp, now: Timestamp) -> i64 {
    let micros = (at.as_micros() - now.as_micros()).max(0);
    (micros + 999_999) / 1_000_000
}
