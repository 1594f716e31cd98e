//! `set_inventory`: sets an account's own total of an inventory, children excluded.

use serde::Serialize;

use crate::answer::Answer;
use crate::command::{Env, Executed};
use crate::ids::{Code, IdSource};
use crate::ledger::Details;
use crate::limits::Context;
use crate::need::Stop;
use crate::ops::record::{Recording, own_total, record};
use crate::quantity::Quantity;
use crate::refusal::Refusal;

/// Arguments of setting an inventory.
#[derive(Clone, Debug, Serialize)]
pub struct SetInventory {
    /// The resource.
    pub resource: Code,
    /// The scope: exactly this one.
    pub scope: Option<Code>,
    /// The total that shall be, in the resource's default unit; at least 0.
    pub quantity: Quantity,
}

/// Records the difference to the present total; null where there is none. Not refused for a limit.
pub fn set_inventory(
    set: &SetInventory,
    env: &Env<'_>,
    ids: &mut dyn IdSource,
) -> Result<Executed, Stop> {
    let resource = env.catalogue.require_resource_type(&set.resource)?;
    if !resource.is_inventory {
        return Err(Refusal::NotInventory(set.resource.to_string()).into());
    }
    let unit = env.catalogue.unit_for(resource, None)?;
    let target = env.catalogue.to_base(set.quantity, unit, "p_quantity")?;
    if set.quantity.is_negative() {
        return Err(Refusal::bad_value("p_quantity", "must not be negative").into());
    }
    let levels = env.book.levels(env.account)?;
    let Some(part) = levels.first() else {
        return Err(Refusal::AccountNotFound.into());
    };
    let total = own_total(part, &set.resource, set.scope.as_ref())?;
    let amount = target.checked_sub(total).ok_or(Refusal::QuantityOverflow)?;
    if amount == 0 {
        return Ok(Executed::changed(Answer::Id(None), Vec::new(), None));
    }
    let factor = i128::from(unit.base_factor.max(1));
    // A total that was counted in a smaller unit may not be whole in the default one; the event is
    // then told in the base unit.
    let (unit, quantity) = match env
        .catalogue
        .unit(&unit.base_unit_code)
        .filter(|_| amount % factor != 0)
    {
        Some(base) => (base, Quantity::from_micros(amount)),
        None => (unit, Quantity::from_micros(amount / factor)),
    };
    let recording = Recording {
        resource,
        scope: set.scope.as_ref(),
        quantity,
        unit,
        amount,
        occurred_at: env.now,
        period_start: None,
        period_end: None,
        corrects: None,
        ends: None,
        details: Details::new(),
        context: &Context::new(),
    };
    let recorded = record(&recording, env, ids)?;
    Ok(Executed::changed(
        Answer::Id(Some(recorded.event_id)),
        recorded.changes,
        Some(recorded.event_id),
    ))
}
