//! Checks from memory: no I/O, no waiting for a writer.

use std::sync::Arc;

use mec_core::answer::Answer;
use mec_core::ops::check::check_levels;
use mec_core::{AccountId, Catalogue, Command, Part, Stop, Timestamp};
use smallvec::SmallVec;

use crate::books::{Path, Seen};
use crate::error::EngineError;
use crate::freshness::Memory;
use crate::request::{Consistency, Outcome, Request, Target};
use crate::{Engine, Stats};

/// What memory holds of an account.
pub(crate) struct InMemory {
    pub account: AccountId,
    pub catalogue: Arc<Catalogue>,
    pub path: Path,
    pub now: Timestamp,
    /// Whether it may be further behind than the bound, since the store cannot be asked.
    pub is_degraded: bool,
}

impl Engine {
    /// Answers a check if everything it needs is in memory.
    pub(crate) fn check_in_memory(
        &self,
        request: &Request,
    ) -> Result<Option<Outcome>, EngineError> {
        let Command::Check(check) = &request.command else {
            return Ok(None);
        };
        let Some(held) = self.in_memory(request) else {
            return Ok(None);
        };
        let shared = &self.shared;
        let levels: SmallVec<[&Part; 4]> = held.path.iter().map(|part| &**part).collect();
        let mut decision = match check_levels(check, &held.catalogue, &levels, held.now) {
            Ok(decision) => decision,
            Err(Stop::Need(_)) => return Ok(None),
            Err(Stop::Refused(refusal)) => return Err(refusal.into()),
        };
        decision.degraded = held.is_degraded;
        Stats::add(&shared.stats.checks_in_memory, 1);
        let outcome = Outcome::of(Answer::Decision(Box::new(decision)), Some(held.account));
        shared.decisions.note(
            shared,
            request,
            &outcome,
            &held.catalogue,
            held.now,
            &mut crate::RisingIds,
        );
        Ok(Some(outcome))
    }

    /// What memory holds of a request's account, where that is as fresh as the request wants it and
    /// the caller may act there.
    pub(crate) fn in_memory(&self, request: &Request) -> Option<InMemory> {
        let shared = &self.shared;
        let memory = shared.freshness.memory();
        let seen = match (memory, request.consistency) {
            (Memory::Fresh, Consistency::Bounded) => Seen::Current,
            (Memory::Fresh, Consistency::Strong) if !shared.freshness.has_peers() => Seen::Current,
            (Memory::Degraded, Consistency::Bounded) => Seen::Behind,
            _ => return None,
        };
        let catalogue = shared.catalogues.get(&request.namespace)?;
        let account = match &request.target {
            Target::Account(account) => *account,
            Target::External(external) => shared.books.external(&request.namespace, external)?,
            _ => return None,
        };
        let (path, last_at) = shared.books.path(&request.namespace, account, seen)?;
        if let Target::External(external) = &request.target
            && path.first().map(|own| own.account.external_id.as_ref()) != Some(Some(external))
        {
            // It named this account before.
            return None;
        }
        let is_below = |root| path.iter().any(|part| part.id() == root);
        if request.guard.is_some_and(|root| !is_below(root)) {
            return None;
        }
        Some(InMemory {
            account,
            catalogue,
            path,
            now: shared.now().max(last_at),
            is_degraded: memory == Memory::Degraded,
        })
    }
}
