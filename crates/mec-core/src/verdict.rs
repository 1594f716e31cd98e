//! Verdicts and their reasons: the closed set of answers to "may this customer do this?".

use serde::Serialize;

/// The answer, from the most to the least permissive.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Ord, PartialOrd, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Verdict {
    /// Go ahead.
    Allow,
    /// Go ahead; the limit is near or passed softly.
    Warn,
    /// Go ahead for now; the limit is passed.
    Grace,
    /// Go ahead; what is above the limit is charged.
    Overage,
    /// Refused.
    Deny,
}

impl Verdict {
    /// All, in the order of their definition.
    pub const ALL: [Self; 5] = [
        Self::Allow,
        Self::Warn,
        Self::Grace,
        Self::Overage,
        Self::Deny,
    ];

    /// The verdict as the contract writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Warn => "warn",
            Self::Grace => "grace",
            Self::Overage => "overage",
            Self::Deny => "deny",
        }
    }
}

/// Why, for programs.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum DecisionCode {
    /// The namespace has no such resource type.
    UnknownResourceType,
    /// The namespace has no such account.
    AccountNotFound,
    /// The account or one above it is suspended.
    AccountSuspended,
    /// The account or one above it is inactive.
    AccountInactive,
    /// No entitlement at any level.
    NoEntitlement,
    /// A level's entitlements are suspended.
    EntitlementSuspended,
    /// A level's entitlements have ended.
    EntitlementExpired,
    /// A level's entitlements have not begun.
    EntitlementNotStarted,
    /// A level's entitlements do not fit the context.
    ConditionsNotMet,
    /// Access for a time, in force.
    WithinAccessWindow,
    /// The limit is unlimited.
    Unlimited,
    /// Enough is left.
    WithinEntitlement,
    /// Enough is left, and usage is at or above the rule's warning.
    WarnThreshold,
    /// Not enough is left; the rule lets it pass with a warning.
    SoftLimit,
    /// Not enough is left; within the rule's grace.
    WithinGrace,
    /// Not enough is left; the rule's grace is used up or over.
    GraceExceeded,
    /// Not enough is left; the rule charges what is above.
    Overage,
    /// Not enough is left.
    LimitReached,
}

impl DecisionCode {
    /// All, in the order of their definition.
    pub const ALL: [Self; 18] = [
        Self::UnknownResourceType,
        Self::AccountNotFound,
        Self::AccountSuspended,
        Self::AccountInactive,
        Self::NoEntitlement,
        Self::EntitlementSuspended,
        Self::EntitlementExpired,
        Self::EntitlementNotStarted,
        Self::ConditionsNotMet,
        Self::WithinAccessWindow,
        Self::Unlimited,
        Self::WithinEntitlement,
        Self::WarnThreshold,
        Self::SoftLimit,
        Self::WithinGrace,
        Self::GraceExceeded,
        Self::Overage,
        Self::LimitReached,
    ];

    /// The code as the contract writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UnknownResourceType => "unknown_resource_type",
            Self::AccountNotFound => "account_not_found",
            Self::AccountSuspended => "account_suspended",
            Self::AccountInactive => "account_inactive",
            Self::NoEntitlement => "no_entitlement",
            Self::EntitlementSuspended => "entitlement_suspended",
            Self::EntitlementExpired => "entitlement_expired",
            Self::EntitlementNotStarted => "entitlement_not_started",
            Self::ConditionsNotMet => "conditions_not_met",
            Self::WithinAccessWindow => "within_access_window",
            Self::Unlimited => "unlimited",
            Self::WithinEntitlement => "within_entitlement",
            Self::WarnThreshold => "warn_threshold",
            Self::SoftLimit => "soft_limit",
            Self::WithinGrace => "within_grace",
            Self::GraceExceeded => "grace_exceeded",
            Self::Overage => "overage",
            Self::LimitReached => "limit_reached",
        }
    }

    /// The reason for people.
    pub fn reason(self) -> &'static str {
        match self {
            Self::UnknownResourceType => "The resource type does not exist",
            Self::AccountNotFound => "The account does not exist",
            Self::AccountSuspended => "The account or one above it is suspended",
            Self::AccountInactive => "The account or one above it is inactive",
            Self::NoEntitlement => "The account has no entitlement to this resource",
            Self::EntitlementSuspended => "The entitlement is suspended",
            Self::EntitlementExpired => "The entitlement has ended",
            Self::EntitlementNotStarted => "The entitlement has not begun",
            Self::ConditionsNotMet => "The entitlement's conditions are not met",
            Self::WithinAccessWindow => "Within the time of access",
            Self::Unlimited => "Unlimited",
            Self::WithinEntitlement => "Within entitlement",
            Self::WarnThreshold => "Within entitlement, at or above the warning threshold",
            Self::SoftLimit => "Above the limit, which only warns",
            Self::WithinGrace => "Above the limit, within its grace",
            Self::GraceExceeded => "Above the limit, and its grace is used up or over",
            Self::Overage => "Above the limit, charged as overage",
            Self::LimitReached => "The limit is reached",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{DecisionCode, Verdict};

    #[test]
    fn all_stand_at_the_place_of_their_definition() {
        for (place, verdict) in Verdict::ALL.into_iter().enumerate() {
            assert_eq!(verdict as usize, place);
        }
        for (place, code) in DecisionCode::ALL.into_iter().enumerate() {
            assert_eq!(code as usize, place);
        }
    }
}
