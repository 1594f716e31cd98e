//! Reservations: holds on quota before work starts.

use uuid::Uuid;

use crate::ids::{AccountId, Code};
use crate::quantity::Quantity;
use crate::time::Timestamp;

/// Where a reservation stands. An open one past its expiry holds nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ReservationStatus {
    /// Neither committed nor released.
    Open,
    /// Turned into an event.
    Committed,
    /// Dropped.
    Released,
}

impl ReservationStatus {
    /// The status as stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Committed => "committed",
            Self::Released => "released",
        }
    }

    /// Reads a status.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Open, Self::Committed, Self::Released]
            .into_iter()
            .find(|s| s.as_str() == text)
    }
}

/// A hold on quota.
#[derive(Clone, Debug, PartialEq)]
pub struct Reservation {
    /// Its id.
    pub reservation_id: Uuid,
    /// Who holds it.
    pub account_id: AccountId,
    /// Of what.
    pub resource_type_code: Code,
    /// Of which scope.
    pub resource_scope: Option<Code>,
    /// How much, as sent.
    pub quantity: Quantity,
    /// The unit as sent.
    pub unit_code: Code,
    /// When it was made: the time at which its use will count.
    pub created_at: Timestamp,
    /// When the hold ends by itself.
    pub expires_at: Timestamp,
    /// Where it stands.
    pub status: ReservationStatus,
    /// The event it became.
    pub event_id: Option<Uuid>,
    /// The quantity it was committed with.
    pub committed_quantity: Option<Quantity>,
    /// What of grants it holds back: account, window type, amount in the base unit.
    pub grant_holds: Vec<GrantHold>,
}

/// What of an account's grants a reservation holds back.
#[derive(Clone, Debug, PartialEq)]
pub struct GrantHold {
    /// The account that holds the grants.
    pub level: AccountId,
    /// Their window type.
    pub window_type_code: Code,
    /// How much, in the base unit.
    pub amount: i128,
}
