//! Answers as the contract writes them: the one place where a decision becomes JSON.

use serde::Serialize;
use uuid::Uuid;

use crate::entitlement::LimitKind;
use crate::ids::{AccountId, Code};
use crate::ops::summary::LimitState;
use crate::quantity::Quantity;
use crate::rule::LimitAction;
use crate::time::Timestamp;
use crate::verdict::{DecisionCode, Verdict};

/// A decision: may this customer do this, and why.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Decision {
    /// The answer.
    pub decision: Verdict,
    /// Why, for programs.
    pub code: DecisionCode,
    /// Why, for people.
    pub reason: &'static str,
    /// The deciding limit's oldest entitlement.
    pub entitlement_id: Option<Uuid>,
    /// What the deciding limit allows, in its entitlement's unit; null when unlimited or no quantity.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<f64>))]
    pub quantity_allowed: Option<Quantity>,
    /// What is used of it.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<f64>))]
    pub quantity_used: Option<Quantity>,
    /// What open reservations hold of it.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<f64>))]
    pub quantity_reserved: Option<Quantity>,
    /// What is left: allowed and granted less used and reserved, at least 0; null when unlimited.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<f64>))]
    pub quantity_remaining: Option<Quantity>,
    /// Used of allowed, before the request, in percent; null when unlimited.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<f64>))]
    pub percent_used: Option<Quantity>,
    /// The deciding limit's kind.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub limit_kind: Option<LimitKind>,
    /// The rule that was applied.
    pub rule_id: Option<Uuid>,
    /// What the rule does at the boundary.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub limit_action: Option<LimitAction>,
    /// The start of the deciding limit's window.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub window_start: Option<Timestamp>,
    /// Its end, exclusively.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub window_end: Option<Timestamp>,
    /// When the deciding limit frees up; null if never.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub resets_at: Option<Timestamp>,
    /// On a deny: whole seconds until `resets_at`, rounded up, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_seconds: Option<i64>,
    /// On overage: how much of the request is above the limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<f64>))]
    pub overage_quantity: Option<Quantity>,
    /// On overage: the factor on its price.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<f64>))]
    pub overage_multiplier: Option<Quantity>,
    /// What each limit saw, where the request asked to explain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limits: Option<Vec<LimitView>>,
    /// Whether it was answered from memory that may be further behind other nodes than the bound, since
    /// the store cannot be reached; left out where not.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub degraded: bool,
    /// What the `RateLimit` fields say; not part of the body.
    #[serde(skip)]
    #[cfg_attr(feature = "openapi", schema(ignore))]
    pub quota: Option<Quota>,
}

/// What one limit saw, for support staff.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LimitView {
    /// The account that holds the limit.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Uuid))]
    pub account_id: AccountId,
    /// 0 for the account that was asked about, 1 for the one above it, and so on.
    pub level: usize,
    /// The limit's kind.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub limit_kind: LimitKind,
    /// Its window type.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub window_type: Code,
    /// Its scope.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub resource_scope: Option<Code>,
    /// The entitlements that add up to it.
    pub entitlement_ids: Vec<Uuid>,
    /// What is used of it.
    #[cfg_attr(feature = "openapi", schema(value_type = f64))]
    pub used: Quantity,
    /// What open reservations hold of it.
    #[cfg_attr(feature = "openapi", schema(value_type = f64))]
    pub reserved: Quantity,
    /// What grants add to it.
    #[cfg_attr(feature = "openapi", schema(value_type = f64))]
    pub granted: Quantity,
    /// What it allows; null when unlimited.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<f64>))]
    pub allowed: Option<Quantity>,
    /// The start of its window.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub window_start: Option<Timestamp>,
    /// The end of its window, exclusively.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub window_end: Option<Timestamp>,
    /// Its own answer.
    pub decision: Verdict,
    /// Why.
    pub code: DecisionCode,
}

/// The deciding limit as the `RateLimit` fields tell it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quota {
    /// The whole units allowed, rounded down.
    pub limit: i128,
    /// The whole units left after the request, rounded down.
    pub remaining: i128,
    /// The window's length in seconds, where it has one.
    pub window_seconds: Option<i64>,
    /// Seconds until the window ends, where it does.
    pub reset_seconds: Option<i64>,
}

/// The answer of `consume`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConsumeAnswer {
    /// The event that was recorded; null on a deny.
    pub event_id: Option<Uuid>,
    /// The decision.
    #[serde(flatten)]
    pub decision: Decision,
}

/// The answer of `reserve`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReserveAnswer {
    /// The reservation that was made; null on a deny.
    pub reservation_id: Option<Uuid>,
    /// When it ends by itself; null on a deny.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub expires_at: Option<Timestamp>,
    /// The decision.
    #[serde(flatten)]
    pub decision: Decision,
}

/// The answer of `acquire_lease`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LeaseAnswer {
    /// Whether a lease is held.
    pub success: bool,
    /// The lease; null on a deny.
    pub lease_id: Option<Uuid>,
    /// Rises with every lease of the tree; null on a deny.
    pub fencing_token: Option<u64>,
    /// When the lease ends unless extended; null on a deny.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub expires_at: Option<Timestamp>,
    /// The decision.
    #[serde(flatten)]
    pub decision: Decision,
}

/// What a command answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// An id, or null.
    Id(Option<Uuid>),
    /// Yes or no.
    Bool(bool),
    /// A quantity.
    Number(Quantity),
    /// How many.
    Count(u64),
    /// A decision alone.
    Decision(Box<Decision>),
    /// Of `consume`.
    Consume(Box<ConsumeAnswer>),
    /// Of `reserve`.
    Reserve(Box<ReserveAnswer>),
    /// Of `acquire_lease`.
    Lease(Box<LeaseAnswer>),
    /// The limits of an account.
    Limits(Vec<LimitState>),
    /// JSON that was answered before, or a row.
    Json(String),
}

impl Answer {
    /// The answer as JSON text.
    pub fn to_json(&self) -> String {
        let text = match self {
            Self::Id(id) => serde_json::to_string(id),
            Self::Bool(yes) => serde_json::to_string(yes),
            Self::Number(number) => Ok(number.to_string()),
            Self::Count(count) => serde_json::to_string(count),
            Self::Decision(answer) => serde_json::to_string(answer),
            Self::Consume(answer) => serde_json::to_string(answer),
            Self::Reserve(answer) => serde_json::to_string(answer),
            Self::Lease(answer) => serde_json::to_string(answer),
            Self::Limits(limits) => serde_json::to_string(limits),
            Self::Json(text) => return text.clone(),
        };
        // Serialising these types into a string fails for no value of theirs.
        text.unwrap_or_else(|_| "null".to_owned())
    }

    /// The decision in it, if there is one.
    pub fn into_decision(self) -> Option<Box<Decision>> {
        match self {
            Self::Decision(decision) => Some(decision),
            Self::Consume(answer) => Some(Box::new(answer.decision)),
            Self::Reserve(answer) => Some(Box::new(answer.decision)),
            Self::Lease(answer) => Some(Box::new(answer.decision)),
            Self::Id(_)
            | Self::Bool(_)
            | Self::Number(_)
            | Self::Count(_)
            | Self::Limits(_)
            | Self::Json(_) => None,
        }
    }
}
