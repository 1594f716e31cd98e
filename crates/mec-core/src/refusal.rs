//! Errors of the core: commands that are refused, each by name. A refusal by a limit is not one
//! of them; it is a decision.

use std::borrow::Cow;

/// Why a command is refused. Nothing is changed by a refused command.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[allow(missing_docs, reason = "each variant's message is its documentation")]
pub enum Refusal {
    #[error("{field}: {expected}")]
    BadValue {
        field: &'static str,
        expected: Cow<'static, str>,
    },
    #[error("{field} must be greater than zero")]
    NotPositive { field: &'static str },
    #[error("{field} has more than the {scale} decimal places of the unit {unit}")]
    TooManyDecimals {
        field: &'static str,
        unit: String,
        scale: u32,
    },
    #[error("the unit {unit} is not allowed for {resource}; allowed: {allowed}")]
    UnitNotAllowed {
        unit: String,
        resource: String,
        allowed: String,
    },
    #[error("the account does not exist")]
    AccountNotFound,
    #[error("the parent account does not exist")]
    ParentNotFound,
    #[error("the resource type {0} does not exist")]
    UnknownResourceType(String),
    #[error("the event does not exist")]
    EventNotFound,
    #[error("the reservation does not exist")]
    ReservationNotFound,
    #[error("the grant does not exist")]
    GrantNotFound,
    #[error("the grant was voided and does not change any more")]
    GrantVoided,
    #[error("the entitlement does not exist")]
    EntitlementNotFound,
    #[error("another entitlement has taken the place of this one, or is about to")]
    EntitlementSuperseded,
    #[error("the row changed meanwhile")]
    RowChanged,
    #[error("a move, or another change of two trees, is the only one of its call")]
    MoveNotAlone,
    #[error("at most {limit} changes are made together")]
    TooManyTogether { limit: usize },
    #[error("the plan {0} does not exist")]
    PlanNotFound(String),
    #[error("the account does not hold the plan {0}")]
    PlanNotHeld(String),
    #[error("the plan {0} is archived and is not provisioned anew")]
    PlanArchived(String),
    #[error("the account holds the base plan {held} already")]
    PlanConflict { held: String },
    #[error("the idempotency key was used with another call or other arguments")]
    IdempotencyConflict,
    #[error("the session holds a live lease with {held} slots")]
    SessionConflict { held: u32 },
    #[error("the reservation was committed with the quantity {0}")]
    AlreadyCommitted(String),
    #[error("the reservation was released")]
    AlreadyReleased,
    #[error("p_occurred_at lies more than five minutes ahead, or before the year 1970")]
    OccurredAtOutOfRange,
    #[error("the total of the inventory would fall below zero: it is {total}")]
    InventoryBelowZero { total: String },
    #[error("{0} counts no inventory")]
    NotInventory(String),
    #[error("{0} has no concurrency limit")]
    NotConcurrent(String),
    #[error("{0} is limited by live leases; it is not metered")]
    UseAcquireLease(String),
    #[error("{0} takes no grants")]
    NotGrantable(String),
    #[error("a correction is not corrected; correct the original event {0}")]
    NotCorrectable(String),
    #[error("the tree has {limit} scopes of this resource type already")]
    TooManyScopes { limit: usize },
    #[error("the tree is {limit} levels deep already")]
    TooDeep { limit: usize },
    #[error("an account of type {0} has no children")]
    ParentHasNoChildren(String),
    #[error("{field}: {value} does not exist")]
    UnknownCode { field: &'static str, value: String },
    #[error("{field} is taken")]
    Taken { field: &'static str },
    #[error("the sum would exceed what a sum can hold")]
    QuantityOverflow,
    #[error("{0}")]
    Catalogue(String),
    #[error("the catalogue is at version {held}, and the change is meant for another")]
    CatalogueChanged { held: u64 },
    #[error("the set of lookups is at version {held}, and the change is meant for another")]
    LookupsChanged { held: u64 },
}

impl Refusal {
    /// A value that does not fit, with what is expected.
    pub fn bad_value(field: &'static str, expected: impl Into<Cow<'static, str>>) -> Self {
        Self::BadValue {
            field,
            expected: expected.into(),
        }
    }

    /// The code for programs, as in the table of errors.
    pub fn code(&self) -> &'static str {
        match self {
            Self::BadValue { .. } => "invalid_value",
            Self::NotPositive { .. } => "invalid_quantity",
            Self::TooManyDecimals { .. } => "too_many_decimals",
            Self::UnitNotAllowed { .. } => "unit_not_allowed",
            Self::AccountNotFound => "account_not_found",
            Self::ParentNotFound => "parent_not_found",
            Self::UnknownResourceType(_) => "unknown_resource_type",
            Self::EventNotFound => "event_not_found",
            Self::ReservationNotFound => "reservation_not_found",
            Self::GrantNotFound => "grant_not_found",
            Self::GrantVoided => "grant_voided",
            Self::EntitlementNotFound => "entitlement_not_found",
            Self::EntitlementSuperseded => "entitlement_superseded",
            Self::RowChanged => "row_changed",
            Self::MoveNotAlone => "move_not_alone",
            Self::TooManyTogether { .. } => "too_many_items",
            Self::PlanNotFound(_) => "plan_not_found",
            Self::PlanNotHeld(_) => "plan_not_held",
            Self::PlanArchived(_) => "plan_archived",
            Self::PlanConflict { .. } => "plan_conflict",
            Self::IdempotencyConflict => "idempotency_conflict",
            Self::SessionConflict { .. } => "session_conflict",
            Self::AlreadyCommitted(_) => "already_committed",
            Self::AlreadyReleased => "already_released",
            Self::OccurredAtOutOfRange => "occurred_at_out_of_range",
            Self::InventoryBelowZero { .. } => "inventory_below_zero",
            Self::NotInventory(_) => "not_inventory",
            Self::NotConcurrent(_) => "not_concurrent",
            Self::UseAcquireLease(_) => "use_acquire_lease",
            Self::NotGrantable(_) => "not_grantable",
            Self::NotCorrectable(_) => "not_correctable",
            Self::TooManyScopes { .. } => "too_many_scopes",
            Self::TooDeep { .. } => "tree_too_deep",
            Self::ParentHasNoChildren(_) => "parent_has_no_children",
            Self::UnknownCode { .. } => "unknown_code",
            Self::Taken { .. } => "already_exists",
            Self::QuantityOverflow => "quantity_overflow",
            Self::Catalogue(_) => "invalid_catalogue",
            Self::CatalogueChanged { .. } | Self::LookupsChanged { .. } => "catalogue_changed",
        }
    }

    /// The field it is about, where there is one.
    pub fn field(&self) -> Option<&'static str> {
        match self {
            Self::BadValue { field, .. }
            | Self::NotPositive { field }
            | Self::TooManyDecimals { field, .. }
            | Self::UnknownCode { field, .. }
            | Self::Taken { field } => Some(field),
            Self::UnitNotAllowed { .. } => Some("p_unit_code"),
            Self::OccurredAtOutOfRange => Some("p_occurred_at"),
            _ => None,
        }
    }

    /// What the caller may do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::PlanConflict { .. } => Some("use change_plan to move to another base plan"),
            Self::UseAcquireLease(_) => {
                Some("use acquire_lease, heartbeat_lease and release_lease")
            }
            Self::IdempotencyConflict => Some("use a new key for a new call"),
            Self::CatalogueChanged { .. } => {
                Some("read the catalogue again and bring the change into it")
            }
            Self::LookupsChanged { .. } => {
                Some("read the lookups again and bring the change into them")
            }
            Self::RowChanged => Some("read the row again and bring the change into it"),
            Self::EntitlementSuperseded => Some("change the entitlement that takes its place"),
            Self::AlreadyCommitted(_) => Some("correct the event with correct_consumption"),
            _ => None,
        }
    }
}
