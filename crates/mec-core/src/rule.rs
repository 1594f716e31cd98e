//! Control rules: what happens at the boundary of a limit.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::condition::{Condition, Facts, all_hold};
use crate::entitlement::LimitKind;
use crate::ids::Code;
use crate::quantity::Quantity;
use crate::time::Timestamp;

/// What happens when the remaining quantity does not suffice.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LimitAction {
    /// Refuse.
    Block,
    /// Let through with a warning.
    Warn,
    /// Let through within a grace quantity and time.
    Grace,
    /// Let through as paid overage.
    Overage,
}

impl LimitAction {
    /// The action as the contract writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Block => "block",
            Self::Warn => "warn",
            Self::Grace => "grace",
            Self::Overage => "overage",
        }
    }

    /// Reads an action.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Block, Self::Warn, Self::Grace, Self::Overage]
            .into_iter()
            .find(|a| a.as_str() == text)
    }
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rule {
    /// Its id.
    pub rule_id: Uuid,
    /// Its name, unique in the namespace.
    pub rule_name: String,
    /// The resource it is for.
    pub resource_type_code: Code,
    /// The scope it is for; none for all.
    pub resource_scope: Option<Code>,
    /// The kind of limit it is for.
    pub limit_kind_code: LimitKind,
    /// What it does.
    pub limit_action_code: LimitAction,
    /// From which percentage of the allowance on it warns.
    pub warn_at_percent: Option<Quantity>,
    /// How much may be used above the allowance, in the resource's default unit.
    pub grace_quantity: Option<Quantity>,
    /// For how long after usage first rose above the allowance, in hours.
    pub grace_window_hours: Option<u32>,
    /// The factor on the price of overage, told to the caller.
    pub overage_multiplier: Option<Quantity>,
    /// The highest is taken.
    pub priority: i32,
    /// Whether it is in use.
    pub is_active: bool,
    /// When it was created; the oldest of equal priority is taken.
    pub created_at: Timestamp,
    /// All must hold.
    pub conditions: Vec<Condition>,
}

/// The rule for a limit: active, scope exact before none, conditions hold, highest priority, then oldest.
pub fn choose<'a>(
    rules: impl Iterator<Item = &'a Rule>,
    kind: LimitKind,
    scope: Option<&str>,
    facts: &impl Facts,
) -> Option<&'a Rule> {
    rules
        .filter(|rule| rule.is_active && rule.limit_kind_code == kind)
        .filter(|rule| rule.resource_scope.is_none() || rule.resource_scope.as_deref() == scope)
        .filter(|rule| all_hold(&rule.conditions, facts))
        .min_by_key(|rule| {
            (
                rule.resource_scope.is_none(),
                std::cmp::Reverse(rule.priority),
                rule.created_at,
                rule.rule_id,
            )
        })
}
