//! Requests and outcomes: what a caller hands to the engine and gets back.

use std::sync::Arc;

use mec_core::answer::Answer;
use mec_core::ops::summary::LimitState;
use mec_core::{Command, Namespace};
use mec_store::Locator;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// What a request is about.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Target {
    /// An account by its id.
    Account(Uuid),
    /// An account by an id of the product's.
    External(String),
    /// The account that holds a lease.
    Lease(Uuid),
    /// The account that holds a reservation.
    Reservation(Uuid),
    /// The account that recorded an event.
    Event(Uuid),
    /// The account that holds a grant.
    Grant(Uuid),
    /// The account that holds an entitlement.
    Entitlement(Uuid),
    /// A new tree with this owner.
    NewTree(Uuid),
}

impl Target {
    /// What the store finds it by; none for a new tree.
    pub fn locator(&self) -> Option<Locator> {
        Some(match self {
            Self::Account(id) => Locator::Account(*id),
            Self::External(id) => Locator::External(id.clone()),
            Self::Lease(id) => Locator::Lease(*id),
            Self::Reservation(id) => Locator::Reservation(*id),
            Self::Event(id) => Locator::Event(*id),
            Self::Grant(id) => Locator::Grant(*id),
            Self::Entitlement(id) => Locator::Entitlement(*id),
            Self::NewTree(_) => return None,
        })
    }
}

/// How fresh the answer of a check or summary must be.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Consistency {
    /// Behind what other processes committed by [`EngineConfig::staleness_bound`](crate::EngineConfig)
    /// at the most, and never behind what this one did.
    #[default]
    Bounded,
    /// All that was acknowledged anywhere before the request came.
    Strong,
}

/// One request.
#[derive(Clone, Debug)]
pub struct Request {
    /// In which namespace.
    pub namespace: Namespace,
    /// About what.
    pub target: Target,
    /// What is asked.
    pub command: Command,
    /// The caller's idempotency key.
    pub key: Option<Arc<str>>,
    /// Who asks: the caller's `sub`, for the audit.
    pub by: Arc<str>,
    /// The account whose subtree the caller may act in; none for the whole namespace. What lies
    /// outside is answered as if it did not exist.
    pub guard: Option<Uuid>,
    /// The request's id, for the decision log.
    pub request_id: Option<Arc<str>>,
    /// How fresh the answer must be, of a check or summary. Others are always decided by what is committed.
    pub consistency: Consistency,
}

impl Request {
    /// The hash by which a repeated key is compared: RPC, account and normalised arguments.
    pub(crate) fn args_hash(&self, account: Uuid) -> [u8; 32] {
        let mut hasher = Sha256::new();
        hasher.update(self.command.name().as_bytes());
        hasher.update(account.as_bytes());
        // Commands serialise into JSON without fail; the quantities in them are exact and normalised.
        hasher.update(serde_json::to_vec(&self.command).unwrap_or_default());
        hasher.finalize().into()
    }
}

/// What a request was answered.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The answer's JSON: the bytes that a repeated key gets again.
    pub body: String,
    /// The account it was about, where it exists.
    pub account: Option<Uuid>,
    /// The event, grant, reservation, lease or row that was made.
    pub made: Option<Uuid>,
    /// Whether this is the answer of an earlier call with the same key.
    pub replayed: bool,
    /// Whether a reservation was committed after its expiry.
    pub late: bool,
    /// The decision, of a command that decides and is not repeated.
    pub decision: Option<Box<mec_core::answer::Decision>>,
    /// The limits of the account, of a command that tells them.
    pub limits: Option<Vec<LimitState>>,
}

impl Outcome {
    pub(crate) fn of(answer: Answer, account: Option<Uuid>) -> Self {
        let body = answer.to_json();
        let (decision, limits) = match answer {
            Answer::Limits(limits) => (None, Some(limits)),
            answer => (answer.into_decision(), None),
        };
        Self {
            body,
            account,
            made: None,
            replayed: false,
            late: false,
            decision,
            limits,
        }
    }
}
