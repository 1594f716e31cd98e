//! Checks from memory: no I/O, no waiting for a writer.

use mec_core::answer::Answer;
use mec_core::ops::check::check_levels;
use mec_core::{Command, Part, Stop};
use smallvec::SmallVec;

use crate::books::Seen;
use crate::error::EngineError;
use crate::freshness::Memory;
use crate::request::{Consistency, Outcome, Request, Target};
use crate::{Engine, Stats};

impl Engine {
    /// Answers a check if everything it needs is in memory.
    pub(crate) fn check_in_memory(
        &self,
        request: &Request,
    ) -> Result<Option<Outcome>, EngineError> {
        let Command::Check(check) = &request.command else {
            return Ok(None);
        };
        let shared = &self.shared;
        let memory = shared.freshness.memory();
        let seen = match (memory, request.consistency) {
            (Memory::Fresh, Consistency::Bounded) => Seen::Current,
            (Memory::Fresh, Consistency::Strong) if !shared.freshness.has_peers() => Seen::Current,
            (Memory::Degraded, Consistency::Bounded) => Seen::Behind,
            _ => return Ok(None),
        };
        let Some(catalogue) = shared.catalogues.get(&request.namespace) else {
            return Ok(None);
        };
        let account = match &request.target {
            Target::Account(account) => Some(*account),
            Target::External(external) => shared.books.external(&request.namespace, external),
            _ => None,
        };
        let Some((path, last_at)) =
            account.and_then(|account| shared.books.path(&request.namespace, account, seen))
        else {
            return Ok(None);
        };
        if request
            .guard
            .is_some_and(|root| !path.iter().any(|part| part.id() == root))
        {
            return Ok(None);
        }
        let levels: SmallVec<[&Part; 4]> = path.iter().map(|part| &**part).collect();
        let now = shared.now().max(last_at);
        let mut decision = match check_levels(check, &catalogue, &levels, now) {
            Ok(decision) => decision,
            Err(Stop::Need(_)) => return Ok(None),
            Err(Stop::Refused(refusal)) => return Err(refusal.into()),
        };
        decision.degraded = memory == Memory::Degraded;
        Stats::add(&shared.stats.checks_in_memory, 1);
        let outcome = Outcome::of(Answer::Decision(Box::new(decision)), account);
        shared.decisions.note(
            shared,
            request,
            &outcome,
            &catalogue,
            now,
            &mut crate::RisingIds,
        );
        Ok(Some(outcome))
    }
}
