//! Grants: extra prepaid quantity, and what events drew from it.

use serde::{Serialize, Serializer};
use uuid::Uuid;

use crate::ids::{AccountId, Code};
use crate::quantity::Quantity;
use crate::time::Timestamp;

/// Extra prepaid quantity.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Grant {
    /// Its id.
    pub grant_id: Uuid,
    /// Whose limits it lifts.
    pub account_id: AccountId,
    /// Of which resource.
    pub resource_type_code: Code,
    /// Of which scope; none for all.
    pub resource_scope: Option<Code>,
    /// Limits of which window type it lifts.
    pub window_type_code: Code,
    /// How much was granted, in `unit_code`.
    pub quantity: Quantity,
    /// The unit: the resource's default.
    pub unit_code: Code,
    /// What is left, in the base unit.
    #[serde(serialize_with = "as_quantity")]
    pub remaining: i128,
    /// The highest is drawn first.
    pub priority: i32,
    /// When it lapses, exclusively.
    pub expires_at: Option<Timestamp>,
    /// Why it was given.
    pub reason: Option<String>,
    /// When it was taken back.
    pub voided_at: Option<Timestamp>,
    /// When it was given.
    pub created_at: Timestamp,
}

impl Grant {
    /// Whether something is left of it. A lapsed grant stays open, since an event that occurred
    /// before it lapsed still draws from it, however late it is told.
    pub fn is_open(&self) -> bool {
        self.voided_at.is_none() && self.remaining > 0
    }

    /// Whether it can be drawn from by something that happened at this moment.
    pub fn is_valid(&self, at: Timestamp) -> bool {
        self.voided_at.is_none() && self.expires_at.is_none_or(|end| at < end)
    }

    /// Whether it can lift a limit for a request of this scope.
    pub fn fits_scope(&self, requested: Option<&str>) -> bool {
        self.resource_scope.is_none() || self.resource_scope.as_deref() == requested
    }

    /// The order in which grants are drawn: priority, earliest expiry, oldest.
    pub fn draw_order(&self) -> impl Ord + use<> {
        (
            std::cmp::Reverse(self.priority),
            self.expires_at.unwrap_or(Timestamp::MAX),
            self.created_at,
            self.grant_id,
        )
    }
}

fn as_quantity<S: Serializer>(amount: &i128, to: S) -> Result<S::Ok, S::Error> {
    Quantity::from_micros(*amount).serialize(to)
}

/// What one event drew from one grant.
#[derive(Clone, Debug, PartialEq)]
pub struct Draw {
    /// The grant.
    pub grant_id: Uuid,
    /// The account that holds the grant.
    pub level: AccountId,
    /// The grant's window type.
    pub window_type_code: Code,
    /// When the grant lapses.
    pub grant_expires_at: Option<Timestamp>,
    /// How much is drawn and not given back, in the base unit.
    pub amount: i128,
}
