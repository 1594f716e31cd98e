//! Consumption events: the rows of the append-only ledger.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::ids::{AccountId, Code, Namespace};
use crate::quantity::Quantity;
use crate::time::Timestamp;

/// Details of an event: free keys and texts.
pub type Details = BTreeMap<String, String>;

/// One row of the ledger.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its id.
    pub event_id: Uuid,
    /// The caller's key; none for events that a reservation or a session brought about.
    pub idempotency_key: Option<String>,
    /// Whose it is.
    pub namespace_id: Namespace,
    /// Who used it.
    pub account_id: AccountId,
    /// What was used.
    pub resource_type_code: Code,
    /// The finer label.
    pub resource_scope: Option<Code>,
    /// How much, as sent.
    pub quantity: Quantity,
    /// The unit as sent.
    pub unit_code: Code,
    /// When it was used.
    pub occurred_at: Timestamp,
    /// Kept as given; decides nothing.
    pub period_start: Option<Timestamp>,
    /// Kept as given; decides nothing.
    pub period_end: Option<Timestamp>,
    /// The event that this one corrects.
    pub corrects_event_id: Option<Uuid>,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// The owner of the tree when it was recorded.
    pub owner_account_id: AccountId,
    /// The accounts above the user of it when it was recorded, nearest first.
    pub recorded_under: Vec<AccountId>,
    /// The chain of the tree when it was recorded.
    pub chain_id: Uuid,
    /// Its place in the chain, from 1.
    pub chain_seq: u64,
    /// SHA-256 of the previous hash and this event.
    pub chain_hash: [u8; 32],
    /// Free keys and texts.
    pub details: Details,
}

/// The most details of one event.
pub const MAX_DETAILS: usize = 50;

/// Whether details are within bounds: 50 keys of 100 bytes with values of 1000 bytes.
pub fn details_fit(details: &Details) -> bool {
    details.len() <= MAX_DETAILS
        && details
            .iter()
            .all(|(k, v)| !k.is_empty() && k.len() <= 100 && v.len() <= 1000)
}

/// An event with what later events made of it, for corrections.
#[derive(Clone, Debug)]
pub struct EventFacts {
    /// The event.
    pub event: Event,
    /// Its quantity with all corrections, in the base unit.
    pub net: i128,
    /// What it drew from grants and was not given back, oldest draw first.
    pub draws: Vec<crate::grant::Draw>,
}

impl EventFacts {
    /// Adds what the event drew from a grant, or gave back to it.
    pub fn add_draw(&mut self, draw: &crate::grant::Draw) {
        match self
            .draws
            .iter_mut()
            .find(|held| held.grant_id == draw.grant_id)
        {
            Some(held) => held.amount = held.amount.saturating_add(draw.amount),
            None => self.draws.push(draw.clone()),
        }
    }

    /// Takes in what became of a grant that the event drew from.
    pub fn see_grant(&mut self, grant: &crate::grant::Grant) {
        for held in &mut self.draws {
            if held.grant_id == grant.grant_id {
                held.grant_expires_at = grant.expires_at;
            }
        }
    }
}
