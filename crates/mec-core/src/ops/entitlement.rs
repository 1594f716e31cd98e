//! Creating one entitlement by hand.

use serde::Serialize;
use uuid::Uuid;

use crate::answer::Answer;
use crate::catalogue::Unit;
use crate::command::{Env, Executed};
use crate::condition::Condition;
use crate::entitlement::{Entitlement, EntitlementStatus, LimitKind};
use crate::ids::{Code, IdSource};
use crate::need::Stop;
use crate::ops::account::row_json;
use crate::ops::provision::put_entitlement;
use crate::ops::record::see_scope;
use crate::quantity::Quantity;
use crate::refusal::Refusal;
use crate::time::Timestamp;

/// The most conditions of one entitlement or rule.
pub const MAX_CONDITIONS: usize = 20;
/// The most entitlements of one account that are not superseded.
pub const MAX_ENTITLEMENTS: usize = 1000;

/// A new entitlement's columns.
#[derive(Clone, Debug, Serialize)]
pub struct CreateEntitlement {
    /// Its id, where the caller chose one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entitlement_id: Option<Uuid>,
    /// The resource.
    pub resource: Code,
    /// The scope; none for all.
    pub scope: Option<Code>,
    /// How it counts.
    pub limit_kind: LimitKind,
    /// How much; none for unlimited.
    pub quantity_allowed: Option<Quantity>,
    /// Its unit; the resource's default where none is named.
    pub unit: Option<Code>,
    /// From when; now where none is given.
    pub effective_start: Option<Timestamp>,
    /// Until when, exclusively.
    pub effective_end: Option<Timestamp>,
    /// The window; `none` where none is named.
    pub window_type: Option<Code>,
    /// The anchor of anniversary windows.
    pub window_anchor: Option<Timestamp>,
    /// Bounds the window's start from below.
    pub usage_from: Option<Timestamp>,
    /// Within one limit only the highest counts.
    pub priority: i32,
    /// Where it stands.
    pub status: EntitlementStatus,
    /// All must hold for it to count.
    pub conditions: Vec<Condition>,
}

/// Creates an entitlement; answers its row. The engine has looked up that a chosen id is not taken.
pub fn create(
    create: &CreateEntitlement,
    env: &Env<'_>,
    ids: &mut dyn IdSource,
) -> Result<Executed, Stop> {
    let resource = env.catalogue.require_resource_type(&create.resource)?;
    let unit = env.catalogue.unit_for(resource, create.unit.as_deref())?;
    check_quantity(create.quantity_allowed, unit, env)?;
    check_kind(create, resource.is_concurrency, resource.is_inventory)?;
    let window_type = create.window_type.clone().unwrap_or_else(|| "none".into());
    if env.catalogue.window_type(&window_type).is_none() {
        return Err(Refusal::UnknownCode {
            field: "window_type_code",
            value: window_type.to_string(),
        }
        .into());
    }
    let start = create.effective_start.unwrap_or(env.now);
    check_period(start, create.effective_end)?;
    check_conditions(&create.conditions)?;
    if create.entitlement_id.is_some() {
        // Ids that rise tell what was written in the same moment before an event, so that its correction
        // finds the bucket of a split minute. A chosen id tells nothing.
        check_usage_from(create.usage_from)?;
    }
    let held = env.book.part(env.account)?.entitlements.iter();
    let held = held.filter(|e| e.status != EntitlementStatus::Superseded);
    if held.count() >= MAX_ENTITLEMENTS {
        return Err(
            Refusal::bad_value("account_id", "at most 1000 entitlements an account").into(),
        );
    }
    let mut changes = Vec::new();
    see_scope(env, &create.resource, create.scope.as_ref(), &mut changes)?;
    let entitlement = Entitlement {
        entitlement_id: create.entitlement_id.unwrap_or_else(|| ids.next_id()),
        account_id: env.account,
        resource_type_code: create.resource.clone(),
        resource_scope: create.scope.clone(),
        limit_kind_code: create.limit_kind,
        quantity_allowed: create.quantity_allowed,
        unit_code: unit.unit_code.clone(),
        effective_start: start,
        effective_end: create.effective_end,
        window_type_code: window_type,
        window_anchor: create.window_anchor,
        plan_id: None,
        template_id: None,
        subscription_id: None,
        usage_from: create.usage_from,
        priority: create.priority,
        status: create.status,
        version: 1,
        superseded_by: None,
        created_at: env.now,
        updated_at: env.now,
        conditions: create.conditions.clone(),
    };
    let row = row_json(&entitlement, env.book.namespace.as_str());
    let made = entitlement.entitlement_id;
    changes.push(put_entitlement(None, entitlement, env, ids));
    Ok(Executed::changed(Answer::Json(row), changes, Some(made)))
}

/// What is allowed is a quantity of the unit, not below zero.
pub fn check_quantity(
    allowed: Option<Quantity>,
    unit: &Unit,
    env: &Env<'_>,
) -> Result<(), Refusal> {
    let Some(quantity) = allowed else {
        return Ok(());
    };
    env.catalogue.to_base(quantity, unit, "quantity_allowed")?;
    if quantity.is_negative() {
        return Err(Refusal::bad_value(
            "quantity_allowed",
            "must not be negative",
        ));
    }
    Ok(())
}

/// An entitlement ends after it starts, or never.
pub fn check_period(start: Timestamp, end: Option<Timestamp>) -> Result<(), Refusal> {
    match end {
        Some(end) if end <= start => Err(Refusal::bad_value(
            "effective_end",
            "must lie after effective_start",
        )),
        _ => Ok(()),
    }
}

/// Conditions are well formed and not too many.
pub fn check_conditions(conditions: &[Condition]) -> Result<(), Refusal> {
    if conditions.len() > MAX_CONDITIONS {
        return Err(Refusal::bad_value("conditions", "at most 20 conditions"));
    }
    let why = conditions
        .iter()
        .find_map(|condition| condition.validate().err());
    why.map_or(Ok(()), |why| Err(Refusal::bad_value("conditions", why)))
}

/// Usage counts anew from the start of a bucket of what was recorded before: a whole minute.
pub fn check_usage_from(usage_from: Option<Timestamp>) -> Result<(), Refusal> {
    match usage_from {
        Some(from) if from != from.floor_minute() => {
            Err(Refusal::bad_value("usage_from", "a whole minute"))
        }
        _ => Ok(()),
    }
}

/// A limit kind must be one that the resource can be counted by.
fn check_kind(
    create: &CreateEntitlement,
    is_concurrency: bool,
    is_inventory: bool,
) -> Result<(), Refusal> {
    let fits = match create.limit_kind {
        LimitKind::Concurrency => is_concurrency,
        LimitKind::Inventory => is_inventory,
        LimitKind::Cumulative => !is_concurrency,
        LimitKind::TimeAccess => true,
    };
    fits.then_some(()).ok_or_else(|| {
        Refusal::bad_value(
            "limit_kind_code",
            "a kind that fits the resource type's flags",
        )
    })
}
