//! Changing an entitlement in place, as its next version.

use std::sync::Arc;

use serde::Serialize;
use uuid::Uuid;

use crate::answer::Answer;
use crate::command::{Env, Executed};
use crate::condition::Condition;
use crate::entitlement::{Entitlement, EntitlementStatus};
use crate::ids::IdSource;
use crate::need::{Need, Stop};
use crate::ops::account::row_json;
use crate::ops::entitlement::{check_conditions, check_period, check_quantity, check_usage_from};
use crate::ops::provision::{next_version, put_entitlement};
use crate::quantity::Quantity;
use crate::refusal::Refusal;
use crate::time::Timestamp;

/// The columns that shall be; what is left out stays.
#[derive(Clone, Debug, Default, Serialize)]
pub struct UpdateEntitlement {
    /// Which entitlement.
    pub entitlement_id: Uuid,
    /// Only where it has this version.
    pub if_version: Option<u32>,
    /// How much; none for unlimited.
    pub quantity_allowed: Option<Option<Quantity>>,
    /// From when it is in force.
    pub effective_start: Option<Timestamp>,
    /// Until when, exclusively.
    pub effective_end: Option<Option<Timestamp>>,
    /// The anchor of anniversary windows.
    pub window_anchor: Option<Option<Timestamp>>,
    /// Bounds the window's start from below: a whole minute.
    pub usage_from: Option<Option<Timestamp>>,
    /// Within one limit only the highest counts.
    pub priority: Option<i32>,
    /// Where it stands.
    pub status: Option<EntitlementStatus>,
    /// All that must hold for it to count.
    pub conditions: Option<Vec<Condition>>,
}

/// Changes an entitlement; answers its row. One whose place another has taken changes no more, and one
/// whose place another will take ends when that begins.
pub fn update(
    update: &UpdateEntitlement,
    env: &Env<'_>,
    ids: &mut dyn IdSource,
) -> Result<Executed, Stop> {
    let held = find(update.entitlement_id, env)?;
    if update.if_version.is_some_and(|at| at != held.version) {
        return Err(Refusal::RowChanged.into());
    }
    let changed = with(update, held);
    let namespace = env.book.namespace.as_str();
    if changed == **held {
        let row = row_json(&changed, namespace);
        return Ok(Executed::unchanged(Answer::Json(row)));
    }
    let is_to_end = held.superseded_by.is_some() && changed.effective_end != held.effective_end;
    if held.is_superseded(env.now) || is_to_end {
        return Err(Refusal::EntitlementSuperseded.into());
    }
    check(held, &changed, env)?;
    let changed = next_version(&changed, env.now);
    let row = row_json(&changed, namespace);
    let put = put_entitlement(Some(held.clone()), changed, env, ids);
    Ok(Executed::changed(Answer::Json(row), vec![put], None))
}

/// An entitlement of the command's account, superseded or not.
fn find<'a>(id: Uuid, env: &Env<'a>) -> Result<&'a Arc<Entitlement>, Stop> {
    let held = env.book.part(env.account)?.entitlements.iter();
    if let Some(entitlement) = held.into_iter().find(|e| e.entitlement_id == id) {
        return Ok(entitlement);
    }
    let superseded = env.book.superseded.get(&id).ok_or(Need::Entitlement(id))?;
    let own = superseded.as_ref().filter(|e| e.account_id == env.account);
    Ok(own.ok_or(Refusal::EntitlementNotFound)?)
}

fn with(update: &UpdateEntitlement, held: &Entitlement) -> Entitlement {
    Entitlement {
        quantity_allowed: update.quantity_allowed.unwrap_or(held.quantity_allowed),
        effective_start: update.effective_start.unwrap_or(held.effective_start),
        effective_end: update.effective_end.unwrap_or(held.effective_end),
        window_anchor: update.window_anchor.unwrap_or(held.window_anchor),
        usage_from: update.usage_from.unwrap_or(held.usage_from),
        priority: update.priority.unwrap_or(held.priority),
        status: update.status.unwrap_or(held.status),
        conditions: match &update.conditions {
            Some(conditions) => conditions.clone(),
            None => held.conditions.clone(),
        },
        ..held.clone()
    }
}

/// What changes must be as it would have to be of a new one.
fn check(held: &Entitlement, changed: &Entitlement, env: &Env<'_>) -> Result<(), Refusal> {
    if changed.quantity_allowed != held.quantity_allowed {
        let resource = env
            .catalogue
            .require_resource_type(&held.resource_type_code)?;
        let unit = env.catalogue.unit_for(resource, Some(&held.unit_code))?;
        check_quantity(changed.quantity_allowed, unit, env)?;
    }
    check_period(changed.effective_start, changed.effective_end)?;
    check_conditions(&changed.conditions)?;
    if changed.usage_from != held.usage_from {
        check_usage_from(changed.usage_from)?;
    }
    Ok(())
}
