//! Summaries: the limits of accounts, from memory where all of them are there.

use mec_core::ops::summary::{LimitState, own_limits};
use mec_core::{Command, Namespace, Refusal, Stop};
use uuid::Uuid;

use crate::Engine;
use crate::error::EngineError;
use crate::request::{Consistency, Request, Target};

/// So many accounts are told of at once at the most.
pub const MAX_SUMMARIES: usize = 100;

impl Engine {
    /// What the limits of accounts hold now: of each account its own limits in force, in the order of
    /// the accounts. It costs what a check of each limit costs, and like a check it is answered from
    /// memory where that is as fresh as `consistency` wants it; no decision is logged. Accounts that do
    /// not exist, or not within the guard's subtree, have no limits.
    ///
    /// # Errors
    /// For more than [`MAX_SUMMARIES`] accounts, where a limit's sum is beyond all quantities, and where
    /// something must be read from a store that cannot be.
    pub async fn usage_summary(
        &self,
        namespace: &Namespace,
        accounts: Vec<Uuid>,
        guard: Option<Uuid>,
        consistency: Consistency,
    ) -> Result<Vec<LimitState>, EngineError> {
        if accounts.len() > MAX_SUMMARIES {
            let expected = format!("expected at most {MAX_SUMMARIES} accounts");
            return Err(Refusal::bad_value("account_id", expected).into());
        }
        let mut told = Vec::with_capacity(accounts.len());
        let mut waiting = Vec::new();
        for account in accounts {
            let request = Request {
                namespace: namespace.clone(),
                target: Target::Account(account),
                command: Command::UsageSummary,
                key: None,
                // Nothing is recorded of it.
                by: "".into(),
                guard,
                request_id: None,
                consistency,
            };
            let limits = self.limits_in_memory(&request)?;
            if limits.is_none() {
                waiting.push(request);
            }
            told.push(limits);
        }
        let mut rest = if waiting.is_empty() {
            Vec::new()
        } else {
            self.journal.submit(waiting).await?
        }
        .into_iter();
        let mut all = Vec::new();
        for limits in told {
            match limits {
                Some(limits) => all.extend(limits),
                None => {
                    let outcome = rest.next().unwrap_or(Err(EngineError::Closed))?;
                    all.extend(outcome.limits.into_iter().flatten());
                }
            }
        }
        Ok(all)
    }

    fn limits_in_memory(&self, request: &Request) -> Result<Option<Vec<LimitState>>, EngineError> {
        let Some(held) = self.in_memory(request) else {
            return Ok(None);
        };
        let Some(part) = held.path.first() else {
            return Ok(None);
        };
        match own_limits(&held.catalogue, part, held.now) {
            Ok(limits) => Ok(Some(limits)),
            Err(Stop::Need(_)) => Ok(None),
            Err(Stop::Refused(refusal)) => Err(refusal.into()),
        }
    }
}
