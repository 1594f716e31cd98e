//! Plans, their templates, and the subscriptions that hold them.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::entitlement::LimitKind;
use crate::ids::{AccountId, Code};
use crate::quantity::Quantity;
use crate::time::Timestamp;

/// A commercial package.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Plan {
    /// Its name for programs.
    pub plan_id: Code,
    /// Its name for people.
    pub plan_name: String,
    /// What it is.
    pub description: String,
    /// Whether it is a trial.
    pub is_trial: bool,
    /// How long the trial lasts, in days.
    pub trial_days: Option<u32>,
    /// Whether it stands beside a base plan.
    pub is_addon: bool,
    /// The Stripe price or product it is sold as.
    pub external_id: Option<String>,
    /// `active` or `archived`; an archived plan is not provisioned anew.
    pub status: String,
    /// What it gives.
    pub templates: Vec<Template>,
}

/// One entitlement that a plan gives.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Template {
    /// Its id.
    pub template_id: Uuid,
    /// The resource.
    pub resource_type_code: Code,
    /// The scope; none for all.
    pub resource_scope: Option<Code>,
    /// How it counts.
    pub limit_kind_code: LimitKind,
    /// How much; none for unlimited.
    pub quantity_allowed: Option<Quantity>,
    /// Whether the quantity is one seat's.
    pub per_seat: bool,
    /// The unit of the quantity.
    pub unit_code: Code,
    /// The window.
    pub window_type_code: Code,
    /// How long the entitlement lasts from provisioning, in days; none for ever.
    pub duration_days: Option<u32>,
    /// The entitlement's priority.
    pub priority: i32,
}

/// Where a subscription stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubscriptionStatus {
    /// Held.
    Active,
    /// Held as a trial.
    Trialing,
    /// Ended.
    Canceled,
}

impl SubscriptionStatus {
    /// The status as the contract writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Trialing => "trialing",
            Self::Canceled => "canceled",
        }
    }

    /// Reads a status.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Active, Self::Trialing, Self::Canceled]
            .into_iter()
            .find(|s| s.as_str() == text)
    }
}

/// An account holding a plan.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Subscription {
    /// Its id.
    pub subscription_id: Uuid,
    /// Who holds it.
    pub account_id: AccountId,
    /// What is held.
    pub plan_id: Code,
    /// The Stripe subscription.
    pub external_id: Option<String>,
    /// Where it stands.
    pub status: SubscriptionStatus,
    /// Seats; at least 1.
    pub quantity: u32,
    /// When the current period began.
    pub current_period_start: Timestamp,
    /// When it ends; none when open.
    pub current_period_end: Option<Timestamp>,
    /// When it is to end.
    pub cancel_at: Option<Timestamp>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}
