//! `correct_consumption`: a compensating event makes an event what it should have been.

use serde::Serialize;
use uuid::Uuid;

use crate::answer::Answer;
use crate::command::{Env, Executed};
use crate::ids::IdSource;
use crate::ledger::Details;
use crate::limits::Context;
use crate::need::{Need, Stop};
use crate::ops::record::{Recording, record};
use crate::quantity::Quantity;
use crate::refusal::Refusal;

/// Arguments of correcting.
#[derive(Clone, Debug, Serialize)]
pub struct Correct {
    /// Which event.
    pub event_id: Uuid,
    /// What it should have been, in the event's unit; 0 undoes it.
    pub quantity: Quantity,
    /// Why.
    pub reason: Option<String>,
}

/// Records the difference, at the time of the original. Where there is none, answers the event itself.
pub fn correct(correct: &Correct, env: &Env<'_>, ids: &mut dyn IdSource) -> Result<Executed, Stop> {
    let facts = env
        .book
        .events
        .get(&correct.event_id)
        .ok_or(Need::Event(correct.event_id))?;
    let facts = facts.as_ref().ok_or(Refusal::EventNotFound)?;
    if let Some(original) = facts.event.corrects_event_id {
        return Err(Refusal::NotCorrectable(original.to_string()).into());
    }
    let resource = env
        .catalogue
        .require_resource_type(&facts.event.resource_type_code)?;
    let unit = env
        .catalogue
        .unit_for(resource, Some(&facts.event.unit_code))?;
    let target = env
        .catalogue
        .to_base(correct.quantity, unit, "p_quantity")?;
    if correct.quantity.is_negative() && !facts.event.quantity.is_negative() {
        return Err(Refusal::bad_value("p_quantity", "must not be negative").into());
    }
    if correct.quantity.is_positive() && facts.event.quantity.is_negative() {
        return Err(Refusal::bad_value(
            "p_quantity",
            "must not be positive, as the event is negative",
        )
        .into());
    }
    if correct
        .reason
        .as_ref()
        .is_some_and(|reason| reason.len() > 1000)
    {
        return Err(Refusal::bad_value("p_reason", "at most 1000 bytes").into());
    }
    let amount = target
        .checked_sub(facts.net)
        .ok_or(Refusal::QuantityOverflow)?;
    if amount == 0 {
        return Ok(Executed::changed(
            Answer::Id(Some(correct.event_id)),
            Vec::new(),
            Some(correct.event_id),
        ));
    }
    let reason = correct
        .reason
        .iter()
        .map(|reason| ("reason".to_owned(), reason.clone()));
    let recording = Recording {
        resource,
        scope: facts.event.resource_scope.as_ref(),
        // Both quantities are in the event's unit, so their difference is exact in it.
        quantity: Quantity::from_micros(amount / i128::from(unit.base_factor.max(1))),
        unit,
        amount,
        occurred_at: facts.event.occurred_at,
        period_start: facts.event.period_start,
        period_end: facts.event.period_end,
        corrects: Some(facts),
        ends: None,
        details: reason.collect::<Details>(),
        context: &Context::new(),
    };
    let recorded = record(&recording, env, ids)?;
    Ok(Executed::changed(
        Answer::Id(Some(recorded.event_id)),
        recorded.changes,
        Some(recorded.event_id),
    ))
}
