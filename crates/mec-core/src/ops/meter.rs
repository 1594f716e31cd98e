//! `meter_consumption`: records a fact. It is not refused for a limit.

use serde::Serialize;

use crate::answer::Answer;
use crate::command::{Env, Executed};
use crate::ids::{Code, IdSource};
use crate::ledger::{Details, details_fit};
use crate::limits::Context;
use crate::need::Stop;
use crate::ops::record::{Recording, record};
use crate::quantity::Quantity;
use crate::refusal::Refusal;
use crate::time::Timestamp;

/// How far ahead of now something may have occurred: five minutes.
pub const MAX_AHEAD_MICROS: i64 = 5 * Timestamp::MICROS_PER_MINUTE;

/// Arguments of metering.
#[derive(Clone, Debug, Serialize)]
pub struct Meter {
    /// The resource.
    pub resource: Code,
    /// The scope.
    pub scope: Option<Code>,
    /// How much.
    pub quantity: Quantity,
    /// Its unit; the resource's default where none is named.
    pub unit: Option<Code>,
    /// When it was used; now where none is given.
    pub occurred_at: Option<Timestamp>,
    /// Kept as given.
    pub period_start: Option<Timestamp>,
    /// Kept as given.
    pub period_end: Option<Timestamp>,
    /// Free keys and texts.
    pub details: Details,
}

/// Records what was used.
pub fn meter(meter: &Meter, env: &Env<'_>, ids: &mut dyn IdSource) -> Result<Executed, Stop> {
    let resource = env.catalogue.require_resource_type(&meter.resource)?;
    if resource.is_concurrency {
        return Err(Refusal::UseAcquireLease(meter.resource.to_string()).into());
    }
    let unit = env.catalogue.unit_for(resource, meter.unit.as_deref())?;
    let amount = env.catalogue.to_base(meter.quantity, unit, "p_quantity")?;
    check_sign(meter.quantity, resource.is_inventory)?;
    let occurred_at = meter.occurred_at.unwrap_or(env.now);
    if occurred_at > env.now.saturating_add_micros(MAX_AHEAD_MICROS)
        || occurred_at < Timestamp::default()
    {
        return Err(Refusal::OccurredAtOutOfRange.into());
    }
    if meter
        .period_start
        .zip(meter.period_end)
        .is_some_and(|(start, end)| end < start)
    {
        return Err(
            Refusal::bad_value("p_period_end", "must not lie before p_period_start").into(),
        );
    }
    check_details(&meter.details)?;
    let recording = Recording {
        resource,
        scope: meter.scope.as_ref(),
        quantity: meter.quantity,
        unit,
        amount,
        occurred_at,
        period_start: meter.period_start,
        period_end: meter.period_end,
        corrects: None,
        ends: None,
        details: meter.details.clone(),
        context: &Context::new(),
    };
    let recorded = record(&recording, env, ids)?;
    Ok(Executed::changed(
        Answer::Id(Some(recorded.event_id)),
        recorded.changes,
        Some(recorded.event_id),
    ))
}

/// Quantities are above zero; those of an inventory may also be below.
pub fn check_sign(quantity: Quantity, is_inventory: bool) -> Result<(), Refusal> {
    let fits = quantity.is_positive() || (is_inventory && quantity.is_negative());
    fits.then_some(()).ok_or(Refusal::NotPositive {
        field: "p_quantity",
    })
}

/// Details are bounded.
pub fn check_details(details: &Details) -> Result<(), Refusal> {
    let fits = details_fit(details);
    fits.then_some(()).ok_or_else(|| {
        Refusal::bad_value(
            "p_details",
            "at most 50 keys of 100 bytes with values of 1000 bytes",
        )
    })
}
