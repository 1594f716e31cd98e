//! `check_entitlement`: may this account do this? Changes nothing.

use serde::Serialize;

use crate::answer::Decision;
use crate::book::Part;
use crate::catalogue::{Catalogue, Unit};
use crate::command::Env;
use crate::decide::{Effect, Judgement, decision, judge};
use crate::ids::Code;
use crate::limits::{self, Context, Query};
use crate::need::Stop;
use crate::quantity::Quantity;
use crate::refusal::Refusal;
use crate::time::Timestamp;
use crate::verdict::DecisionCode;

/// Arguments of a check.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// The resource.
    pub resource: Code,
    /// The scope.
    pub scope: Option<Code>,
    /// How much is asked for; 0 asks for the state alone.
    pub quantity: Quantity,
    /// Its unit; the resource's default where none is named.
    pub unit: Option<Code>,
    /// What the caller tells for conditions.
    pub context: Context,
    /// Whether to tell what each limit saw.
    pub explain: bool,
}

/// Answers a check by a tree's Book.
pub fn check(check: &Check, env: &Env<'_>) -> Result<Decision, Stop> {
    let levels = env.book.levels(env.account)?;
    check_levels(check, env.catalogue, &levels, env.now)
}

/// Answers a check by the parts of an account and of those above it.
pub fn check_levels<'a>(
    check: &Check,
    catalogue: &'a Catalogue,
    levels: &[&'a Part],
    now: Timestamp,
) -> Result<Decision, Stop> {
    let Some(resource) = catalogue.resource_type(&check.resource) else {
        let unknown = Judgement::denied(DecisionCode::UnknownResourceType);
        return Ok(decision(
            catalogue,
            &unknown,
            0,
            Effect::default(),
            now,
            check.explain,
        )?);
    };
    let requested = if resource.is_concurrency {
        slots(check.quantity, check.unit.as_deref(), catalogue, resource)?
    } else {
        let unit = catalogue.unit_for(resource, check.unit.as_deref())?;
        if check.quantity.is_negative() && !resource.is_inventory {
            return Err(Refusal::bad_value("p_requested_qty", "must not be negative").into());
        }
        catalogue.to_base(check.quantity, unit, "p_requested_qty")?
    };
    let query = Query {
        resource,
        scope: check.scope.as_ref(),
        kinds: limits::ALL,
        context: &check.context,
    };
    let judgement = judge(catalogue, levels, &query, requested, now)?;
    Ok(decision(
        catalogue,
        &judgement,
        requested,
        Effect::default(),
        now,
        check.explain,
    )?)
}

/// Slots are whole and have the resource's unit only to be named by.
fn slots(
    quantity: Quantity,
    unit: Option<&str>,
    catalogue: &Catalogue,
    resource: &crate::catalogue::ResourceType,
) -> Result<i128, Refusal> {
    let unit: &Unit = catalogue.unit_for(resource, unit)?;
    if quantity.decimals() > 0 {
        return Err(Refusal::TooManyDecimals {
            field: "p_requested_qty",
            unit: unit.unit_code.to_string(),
            scale: 0,
        });
    }
    if quantity.is_negative() {
        return Err(Refusal::bad_value(
            "p_requested_qty",
            "must not be negative",
        ));
    }
    Ok(quantity.micros())
}
