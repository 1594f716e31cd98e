//! What a command needs to know and its Book does not hold yet. The core says so instead of
//! fetching it; the engine loads it and asks again.

use std::collections::HashSet;
use std::sync::Arc;

use uuid::Uuid;

use crate::account::ExternalKey;
use crate::book::PartRows;
use crate::entitlement::Entitlement;
use crate::grant::Grant;
use crate::ids::{AccountId, Code};
use crate::ledger::EventFacts;
use crate::refusal::Refusal;
use crate::reservation::Reservation;
use crate::time::Timestamp;
use crate::usage::CounterKey;

/// One missing piece.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Need {
    /// An account's part of the Book.
    Part(AccountId),
    /// The sum of a counter in `[from, to)`; an open bound is the beginning or the end of time.
    Sum {
        /// At which level.
        level: AccountId,
        /// Which counter.
        counter: CounterKey,
        /// From when, on a bucket's start.
        from: Option<Timestamp>,
        /// Until when, on a bucket's start.
        to: Option<Timestamp>,
    },
    /// A counter's hour totals since an hour, and the minutes of one hour.
    Rolling {
        /// At which level.
        level: AccountId,
        /// Which counter.
        counter: CounterKey,
        /// Hour totals from this hour's start on.
        from_hour: Timestamp,
        /// The minutes of the hour that starts here.
        minutes_of: Timestamp,
    },
    /// The scopes that a tree has used of a resource.
    Scopes(Code),
    /// An account's own total of an inventory in exactly this scope, children excluded.
    OwnTotal {
        /// Whose.
        level: AccountId,
        /// Of what.
        resource: Code,
        /// In which scope.
        scope: Option<Code>,
    },
    /// An event with its corrections and draws.
    Event(Uuid),
    /// A reservation that is not open any more.
    Reservation(Uuid),
    /// A grant that is not open any more.
    Grant(Uuid),
    /// An entitlement that no part holds, since it is superseded.
    Entitlement(Uuid),
    /// The account that an id of a provider's is linked to.
    Linked(ExternalKey),
    /// How many levels stand below an account.
    LevelsBelow(AccountId),
}

/// Why a command stopped before it was decided.
#[derive(Clone, Debug, PartialEq)]
pub enum Stop {
    /// Something must be loaded first.
    Need(Need),
    /// The command is refused.
    Refused(Refusal),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Need> for Stop {
    fn from(need: Need) -> Self {
        Self::Need(need)
    }
}

/// What was loaded for a need.
#[derive(Clone, Debug)]
pub enum Loaded {
    /// For [`Need::Part`]; none when the account does not exist.
    Part(Option<Box<PartRows>>),
    /// For [`Need::Sum`], in the base unit.
    Sum(i128),
    /// For [`Need::Rolling`]: hour totals and minute buckets, each with its start.
    Rolling {
        /// Totals by hour's start; hours without usage may be left out.
        hours: Vec<(Timestamp, i128)>,
        /// Buckets of the one hour by their start.
        minutes: Vec<(Timestamp, i128)>,
    },
    /// For [`Need::Scopes`].
    Scopes(HashSet<Code>),
    /// For [`Need::OwnTotal`], in the base unit.
    OwnTotal(i128),
    /// For [`Need::Event`]; none when there is no such event.
    Event(Option<Box<EventFacts>>),
    /// For [`Need::Reservation`]; none when there is no such reservation.
    Reservation(Option<Arc<Reservation>>),
    /// For [`Need::Grant`]; none when there is no such grant.
    Grant(Option<Grant>),
    /// For [`Need::Entitlement`]; none when there is no such entitlement.
    Entitlement(Option<Arc<Entitlement>>),
    /// For [`Need::Linked`]; none when it is linked to no account.
    Linked(Option<AccountId>),
    /// For [`Need::LevelsBelow`]; 0 for an account without children.
    LevelsBelow(usize),
}
