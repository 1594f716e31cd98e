//! Leases: concurrency slots held by a session.

use uuid::Uuid;

use crate::ids::{AccountId, Code};
use crate::time::Timestamp;

/// Slots held by a session until released or expired.
#[derive(Clone, Debug, PartialEq)]
pub struct Lease {
    /// Its id.
    pub lease_id: Uuid,
    /// Who holds it.
    pub account_id: AccountId,
    /// Of what.
    pub resource_type_code: Code,
    /// Of which scope.
    pub resource_scope: Option<Code>,
    /// How many; at least 1.
    pub slots: u32,
    /// Rises with every lease of the tree.
    pub fencing_token: u64,
    /// When it was taken.
    pub acquired_at: Timestamp,
    /// When it ends unless extended, exclusively.
    pub expires_at: Timestamp,
    /// When it was last extended.
    pub last_heartbeat: Timestamp,
    /// When it was given back.
    pub released_at: Option<Timestamp>,
    /// Unique among the live leases of an account, resource and scope.
    pub session_token: Option<String>,
    /// Free fields of the product, as JSON text.
    pub session_metadata: Option<String>,
    /// The extension that a heartbeat without one gives, in seconds.
    pub ttl_seconds: i64,
    /// The answer that granted it, as the caller got it.
    pub decision: String,
}

impl Lease {
    /// Whether its slots are held at this moment.
    pub fn is_live(&self, at: Timestamp) -> bool {
        self.released_at.is_none() && at < self.expires_at
    }
}
