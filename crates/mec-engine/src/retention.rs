//! How long things are kept.

use mec_core::{Refusal, Timestamp};
use mec_store::{Expired, Retention};

use crate::Shared;
use crate::error::EngineError;
use crate::journal::Journal;

/// So many rows of each kind are dropped between two batches of commands at the most.
const STEP: usize = 2_000;

/// How long things are kept, in days, at least one. The ledger is kept for ever.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RetentionPolicy {
    /// Logged decisions. Default 90.
    pub decisions_days: u32,
    /// The entitlements' audit. Default 2,557: seven years.
    pub audit_days: u32,
    /// Answers that a repeated idempotency key gets again byte for byte. Default 90. The key and the
    /// id that it made are kept for ever.
    pub answers_days: u32,
}

/// What a run of retention dropped.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct RetentionRun {
    /// How many rows of each kind.
    pub dropped: Expired,
    /// Whether nothing is left that has passed its time.
    pub is_done: bool,
}

impl Default for RetentionPolicy {
    fn default() -> Self {
        Self {
            decisions_days: 90,
            audit_days: 2_557,
            answers_days: 90,
        }
    }
}

pub(crate) async fn apply(
    shared: &Shared,
    journal: &Journal,
    policy: RetentionPolicy,
    most_steps: usize,
) -> Result<RetentionRun, EngineError> {
    let now = shared.now();
    let before = |field, days: u32| {
        if days == 0 {
            return Err(Refusal::bad_value(field, "at least 1 day"));
        }
        let kept = i64::from(days).saturating_mul(24 * Timestamp::MICROS_PER_HOUR);
        Ok(now.saturating_add_micros(-kept))
    };
    let retention = Retention {
        decisions_before: before("decisions_days", policy.decisions_days)?,
        audit_before: before("audit_days", policy.audit_days)?,
        answers_before: before("answers_days", policy.answers_days)?,
        most: STEP,
    };
    let mut run = RetentionRun::default();
    for _ in 0..most_steps {
        let step = journal.apply_retention(retention).await?;
        run.dropped.decisions += step.decisions;
        run.dropped.audit += step.audit;
        run.dropped.answers += step.answers;
        run.is_done = step.decisions.max(step.audit).max(step.answers) < STEP;
        if run.is_done {
            break;
        }
    }
    Ok(run)
}
