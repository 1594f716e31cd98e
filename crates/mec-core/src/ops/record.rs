//! Recording an event: the counters of every level, with `draws` and `grace` beside them, the
//! inventory's own total, and the chain. Metering, consuming, committing and correcting all end here.

use std::sync::Arc;

use uuid::Uuid;

use super::draws::{draw, give_back};
use super::grace::grace_clocks;
use crate::book::Part;
use crate::catalogue::{ResourceType, Unit};
use crate::chain::event_hash;
use crate::change::Change;
use crate::command::Env;
use crate::entitlement::Entitlement;
use crate::ids::{Code, IdSource};
use crate::ledger::{Details, Event, EventFacts};
use crate::limits::{self, Context, Query};
use crate::need::{Need, Stop};
use crate::quantity::Quantity;
use crate::refusal::Refusal;
use crate::reservation::Reservation;
use crate::time::Timestamp;

/// What is recorded.
pub struct Recording<'a> {
    /// The resource.
    pub resource: &'a ResourceType,
    /// The scope.
    pub scope: Option<&'a Code>,
    /// How much, as sent.
    pub quantity: Quantity,
    /// Its unit.
    pub unit: &'a Unit,
    /// How much, in the base unit.
    pub amount: i128,
    /// When it was used.
    pub occurred_at: Timestamp,
    /// Kept as given.
    pub period_start: Option<Timestamp>,
    /// Kept as given.
    pub period_end: Option<Timestamp>,
    /// The event that is corrected.
    pub corrects: Option<&'a EventFacts>,
    /// The reservation that ends with this event.
    pub ends: Option<&'a Reservation>,
    /// Free keys and texts.
    pub details: Details,
    /// What the caller told for conditions.
    pub context: &'a Context,
}

/// What recording did.
pub struct Recorded {
    /// The event's id.
    pub event_id: Uuid,
    /// The changes.
    pub changes: Vec<Change>,
    /// What was drawn from the grants of each level and window type: level, window type, amount.
    pub drawn: Vec<(usize, Code, i128)>,
}

/// Records an event at the account of the command.
pub fn record(
    recording: &Recording<'_>,
    env: &Env<'_>,
    ids: &mut dyn IdSource,
) -> Result<Recorded, Stop> {
    // What is corrected stays with the levels under which it was recorded.
    let levels = match recording.corrects {
        Some(facts) => env.book.levels_then(&facts.event)?,
        None => env.book.levels(env.account)?,
    };
    let mut changes = Vec::with_capacity(4);
    let resource = &recording.resource.resource_type_code;
    see_scope(env, resource, recording.scope, &mut changes)?;
    inventory(recording, env, &levels, &mut changes)?;
    let query = Query {
        resource: recording.resource,
        scope: recording.scope,
        kinds: limits::CONSUMABLE,
        context: recording.context,
    };
    let event_id = ids.next_id();
    let mut drawn = Vec::new();
    // A correction goes into the bucket of its event: what was created after it was not known then.
    // Ids rise, so they tell the order of what was written in the same moment.
    let is_known = |e: &Entitlement| {
        recording.corrects.is_none_or(|facts| {
            (e.created_at, e.entitlement_id) < (facts.event.created_at, facts.event.event_id)
        })
    };
    for (level, part) in levels.iter().enumerate() {
        let bucket = part.bucket(resource, recording.occurred_at, is_known);
        let usage = |drawn_for: Option<&Code>, amount| Change::UsageAdded {
            level: part.id(),
            resource: resource.clone(),
            scope: recording.scope.cloned(),
            drawn_for: drawn_for.cloned(),
            bucket,
            amount,
        };
        changes.push(usage(None, recording.amount));
        let draws = match recording.corrects {
            Some(facts) if recording.amount < 0 => {
                give_back(facts, part, recording.amount.saturating_neg(), env)?
            }
            _ => draw(recording, env, &levels, level, part, &query)?,
        };
        for (draw, grant_remaining) in draws {
            changes.push(usage(Some(&draw.window_type_code), draw.amount));
            drawn.push((level, draw.window_type_code.clone(), draw.amount));
            let event_id = recording
                .corrects
                .map_or(event_id, |facts| facts.event.event_id);
            changes.push(Change::Drawn {
                event_id,
                draw,
                grant_remaining,
            });
        }
    }
    grace_clocks(recording, env, &levels, &query, &drawn, &mut changes)?;
    let event = chain(recording, env, &levels, event_id);
    changes.push(Change::EventRecorded {
        event: Arc::new(event),
        amount: recording.amount,
    });
    Ok(Recorded {
        event_id,
        changes,
        drawn,
    })
}

fn chain(recording: &Recording<'_>, env: &Env<'_>, levels: &[&Part], event_id: Uuid) -> Event {
    let mut event = Event {
        event_id,
        idempotency_key: env.key.map(str::to_owned),
        namespace_id: env.book.namespace.clone(),
        account_id: env.account,
        resource_type_code: recording.resource.resource_type_code.clone(),
        resource_scope: recording.scope.cloned(),
        quantity: recording.quantity,
        unit_code: recording.unit.unit_code.clone(),
        occurred_at: recording.occurred_at,
        period_start: recording.period_start,
        period_end: recording.period_end,
        corrects_event_id: recording.corrects.map(|facts| facts.event.event_id),
        created_at: env.now,
        owner_account_id: env.book.head.tree_id,
        recorded_under: levels.iter().skip(1).map(|part| part.id()).collect(),
        chain_id: env.book.head.chain_id,
        chain_seq: env.book.head.chain_seq.saturating_add(1),
        chain_hash: [0; 32],
        details: recording.details.clone(),
    };
    event.chain_hash = event_hash(&env.book.head.chain_hash, &event);
    event
}

/// Notes a scope that the tree had not used of the resource, within the bound.
pub fn see_scope(
    env: &Env<'_>,
    resource: &Code,
    scope: Option<&Code>,
    changes: &mut Vec<Change>,
) -> Result<(), Stop> {
    let Some(scope) = scope else { return Ok(()) };
    let owner = env.book.part(env.book.head.tree_id)?;
    let seen = owner
        .scopes(resource)
        .ok_or_else(|| Need::Scopes(resource.clone()))?;
    if !seen.contains(scope) {
        if seen.len() >= env.max_scopes {
            let limit = env.max_scopes;
            return Err(Refusal::TooManyScopes { limit }.into());
        }
        changes.push(Change::ScopeSeen {
            resource: resource.clone(),
            scope: scope.clone(),
        });
    }
    Ok(())
}

fn inventory(
    recording: &Recording<'_>,
    env: &Env<'_>,
    levels: &[&Part],
    changes: &mut Vec<Change>,
) -> Result<(), Stop> {
    let Some(part) = levels.first().filter(|_| recording.resource.is_inventory) else {
        return Ok(());
    };
    let total = own_total(
        part,
        &recording.resource.resource_type_code,
        recording.scope,
    )?;
    if total.saturating_add(recording.amount) < 0 {
        let total = env
            .catalogue
            .in_unit(total, &recording.unit.unit_code)
            .to_string();
        return Err(Refusal::InventoryBelowZero { total }.into());
    }
    changes.push(Change::OwnTotalAdded {
        level: part.id(),
        resource: recording.resource.resource_type_code.clone(),
        scope: recording.scope.cloned(),
        amount: recording.amount,
    });
    Ok(())
}

/// An account's own total of an inventory in exactly a scope.
pub fn own_total(part: &Part, resource: &Code, scope: Option<&Code>) -> Result<i128, Need> {
    part.own_total(resource, scope)
        .ok_or_else(|| Need::OwnTotal {
            level: part.id(),
            resource: resource.clone(),
            scope: scope.cloned(),
        })
}
