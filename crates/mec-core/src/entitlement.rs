//! Entitlements: what an account is allowed of a resource.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::condition::Condition;
use crate::ids::{AccountId, Code};
use crate::quantity::Quantity;
use crate::time::Timestamp;

/// How a limit counts.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Ord, PartialOrd, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitKind {
    /// Consumption within a window.
    Cumulative,
    /// Slots of live leases.
    Concurrency,
    /// The all-time net sum.
    Inventory,
    /// No quantity: access while in force.
    TimeAccess,
}

impl LimitKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [
        Self::Cumulative,
        Self::Concurrency,
        Self::Inventory,
        Self::TimeAccess,
    ];

    /// The kind as the contract writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cumulative => "cumulative",
            Self::Concurrency => "concurrency",
            Self::Inventory => "inventory",
            Self::TimeAccess => "time_access",
        }
    }

    /// Reads a kind.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// Where an entitlement stands in its life.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EntitlementStatus {
    /// Counts within its validity.
    Active,
    /// Does not count for now, and denies if nothing else at its level is in force.
    Suspended,
    /// Ended.
    Expired,
    /// Replaced by another; as if it had never been.
    Superseded,
}

impl EntitlementStatus {
    /// The status as the contract writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Expired => "expired",
            Self::Superseded => "superseded",
        }
    }

    /// Reads a status.
    pub fn parse(text: &str) -> Option<Self> {
        [
            Self::Active,
            Self::Suspended,
            Self::Expired,
            Self::Superseded,
        ]
        .into_iter()
        .find(|s| s.as_str() == text)
    }
}

/// What an account is allowed of a resource.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entitlement {
    /// Its id.
    pub entitlement_id: Uuid,
    /// The account that holds it.
    pub account_id: AccountId,
    /// The resource it allows.
    pub resource_type_code: Code,
    /// The scope it is confined to; none for all scopes.
    pub resource_scope: Option<Code>,
    /// How it counts.
    pub limit_kind_code: LimitKind,
    /// How much, in `unit_code`; none for unlimited.
    pub quantity_allowed: Option<Quantity>,
    /// The unit of `quantity_allowed`.
    pub unit_code: Code,
    /// From when it is in force.
    pub effective_start: Timestamp,
    /// Until when, exclusively; none for ever.
    pub effective_end: Option<Timestamp>,
    /// The window in which a cumulative limit counts.
    pub window_type_code: Code,
    /// The anchor of anniversary windows; `effective_start` where none is set.
    pub window_anchor: Option<Timestamp>,
    /// The plan that gave it.
    pub plan_id: Option<Code>,
    /// The template that gave it.
    pub template_id: Option<Uuid>,
    /// The subscription that gave it.
    pub subscription_id: Option<Uuid>,
    /// Bounds the window's start from below.
    pub usage_from: Option<Timestamp>,
    /// Within one limit only the highest counts.
    pub priority: i32,
    /// Where it stands in its life.
    pub status: EntitlementStatus,
    /// Rises with every change; starts at 1.
    pub version: u32,
    /// What replaced it.
    pub superseded_by: Option<Uuid>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// All must hold for it to count.
    pub conditions: Vec<Condition>,
}

impl Entitlement {
    /// Whether its validity covers a moment, whatever its status and conditions.
    pub fn covers(&self, at: Timestamp) -> bool {
        self.effective_start <= at && self.effective_end.is_none_or(|end| at < end)
    }

    /// Whether it was replaced, by now at the latest.
    pub fn is_superseded(&self, at: Timestamp) -> bool {
        self.status == EntitlementStatus::Superseded
            || (self.superseded_by.is_some() && self.effective_end.is_some_and(|end| end <= at))
    }

    /// Whether it is kept when it is superseded: usage since the moment within a minute from which it
    /// counted anew has a bucket of its own, into which corrections of that usage go.
    pub fn splits_a_minute(&self) -> bool {
        self.usage_from
            .is_some_and(|from| from != from.floor_minute())
    }

    /// Whether it could answer a request of this scope.
    pub fn fits_scope(&self, requested: Option<&str>) -> bool {
        self.resource_scope.is_none() || self.resource_scope.as_deref() == requested
    }
}

/// One change of an entitlement, for the audit.
#[derive(Clone, Debug, PartialEq)]
pub struct EntitlementAudit {
    /// Its id.
    pub audit_id: Uuid,
    /// `INSERT` or `UPDATE`.
    pub operation: &'static str,
    /// Who changed it: the caller's `sub`.
    pub changed_by: String,
    /// When.
    pub changed_at: Timestamp,
}
