//! The decision log: refusals and other answers, up to a rate, off the hot path. A granted consume,
//! reserve or acquire is its own durable record and is not logged again.

use std::sync::atomic::{AtomicU64, Ordering};

use mec_core::verdict::Verdict;
use mec_core::{Catalogue, Command, IdSource, Timestamp};
use mec_store::DecisionRow;
use parking_lot::Mutex;

use crate::request::{Outcome, Request};
use crate::{EngineConfig, Shared, Stats};

/// So many decisions wait to be written at the most.
const MAX_WAITING: usize = 20_000;

pub(crate) struct DecisionLog {
    waiting: Mutex<Vec<DecisionRow>>,
    allows: Limiter,
    others: Limiter,
}

/// So many a second; the second in the high half, the count in the low one.
struct Limiter {
    per_second: u32,
    state: AtomicU64,
}

impl Limiter {
    fn admits(&self, now: Timestamp) -> bool {
        let second = u64::try_from(now.as_micros().div_euclid(Timestamp::MICROS_PER_SECOND))
            .unwrap_or(0)
            & 0xffff_ffff;
        let next = |state: u64| {
            if state >> 32 == second {
                state + 1
            } else {
                (second << 32) | 1
            }
        };
        let before = self
            .state
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |state| {
                Some(next(state))
            });
        let count = next(before.unwrap_or(0)) & 0xffff_ffff;
        count <= u64::from(self.per_second)
    }
}

impl DecisionLog {
    pub(crate) fn new(config: &EngineConfig) -> Self {
        let limiter = |per_second| Limiter {
            per_second,
            state: AtomicU64::new(0),
        };
        Self {
            waiting: Mutex::default(),
            allows: limiter(config.allows_logged_per_second),
            others: limiter(config.others_logged_per_second),
        }
    }

    /// Notes a decision, if it is one to be logged and the rate allows.
    pub(crate) fn note(
        &self,
        shared: &Shared,
        request: &Request,
        outcome: &Outcome,
        catalogue: &Catalogue,
        now: Timestamp,
        ids: &mut dyn IdSource,
    ) {
        let (Some(decision), Some(asked)) = (&outcome.decision, request.command.asks_for()) else {
            return;
        };
        shared
            .stats
            .decisions
            .note(decision.decision, decision.code);
        let is_check = matches!(request.command, Command::Check(_));
        if !is_check && outcome.made.is_some() {
            return;
        }
        let limiter = if is_check && decision.decision == Verdict::Allow {
            &self.allows
        } else {
            &self.others
        };
        if !limiter.admits(now) {
            Stats::add(&shared.stats.decisions_dropped, 1);
            return;
        }
        let default_unit = || {
            catalogue
                .resource_type(asked.resource)
                .map(|resource| resource.default_unit_code.clone())
        };
        let row = DecisionRow {
            decision_id: ids.next_id(),
            namespace: request.namespace.clone(),
            account_id: outcome.account.unwrap_or_default(),
            resource_type_code: asked.resource.clone(),
            resource_scope: asked.scope.cloned(),
            requested_quantity: asked.quantity,
            unit_code: asked.unit.cloned().or_else(default_unit),
            decision: decision.decision.as_str(),
            code: decision.code.as_str(),
            reason: decision.reason,
            rule_id: decision.rule_id,
            entitlement_id: decision.entitlement_id,
            usage_at_decision: decision.quantity_used,
            limit_at_decision: decision.quantity_allowed,
            percent_used: decision.percent_used,
            request_id: request.request_id.clone(),
            decided_at: now,
        };
        let mut waiting = self.waiting.lock();
        if waiting.len() < MAX_WAITING {
            waiting.push(row);
            Stats::add(&shared.stats.decisions_logged, 1);
        } else {
            Stats::add(&shared.stats.decisions_dropped, 1);
        }
    }

    /// Takes what waits to be written.
    pub(crate) fn take(&self) -> Vec<DecisionRow> {
        std::mem::take(&mut self.waiting.lock())
    }
}
