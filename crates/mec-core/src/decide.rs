//! The decision: may this account do this? The cases stand in the order in which they are told.

mod limit;
mod telling;

use smallvec::SmallVec;

use crate::account::AccountStatus;
use crate::book::Part;
use crate::catalogue::Catalogue;
use crate::entitlement::LimitKind;
use crate::figures::Figures;
use crate::limits::{Limit, Query, applicable};
use crate::need::Stop;
use crate::quantity::Quantity;
use crate::resets::resets_at;
use crate::rule::Rule;
use crate::time::Timestamp;
use crate::verdict::{DecisionCode, Verdict};

use limit::judge_limit;

pub use limit::runs;
pub(crate) use telling::in_unit_of;
pub use telling::{Effect, decision};

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
