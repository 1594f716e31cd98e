//! `grant_credit` and `void_grant`: extra prepaid quantity, given and taken back.

use serde::Serialize;
use uuid::Uuid;

use crate::answer::Answer;
use crate::change::Change;
use crate::command::{Env, Executed};
use crate::entitlement::LimitKind;
use crate::grant::Grant;
use crate::ids::{Code, IdSource};
use crate::limits::{self, Context, Query, applicable};
use crate::need::{Need, Stop};
use crate::ops::record::see_scope;
use crate::quantity::Quantity;
use crate::refusal::Refusal;
use crate::time::Timestamp;

/// Arguments of granting.
#[derive(Clone, Debug, Serialize)]
pub struct GrantCredit {
    /// Its id, where the caller chose one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant_id: Option<Uuid>,
    /// The resource.
    pub resource: Code,
    /// The scope; none for all.
    pub scope: Option<Code>,
    /// How much, in the resource's default unit.
    pub quantity: Quantity,
    /// Limits of which window type it lifts; by default the longest in force at the account.
    pub window_type: Option<Code>,
    /// The highest is drawn first.
    pub priority: i32,
    /// When it lapses.
    pub expires_at: Option<Timestamp>,
    /// Why.
    pub reason: Option<String>,
}

/// Arguments of voiding.
#[derive(Clone, Debug, Serialize)]
pub struct VoidGrant {
    /// Which grant.
    pub grant_id: Uuid,
}

/// Gives a grant. The engine has looked up that a chosen id is not taken.
pub fn grant_credit(
    grant: &GrantCredit,
    env: &Env<'_>,
    ids: &mut dyn IdSource,
) -> Result<Executed, Stop> {
    // The grant is put into this part, so it must be in the Book whatever else is looked at.
    env.book.part(env.account)?;
    let resource = env.catalogue.require_resource_type(&grant.resource)?;
    if resource.is_concurrency || resource.is_inventory || resource.is_time_bound {
        return Err(Refusal::NotGrantable(grant.resource.to_string()).into());
    }
    let unit = env.catalogue.unit_for(resource, None)?;
    let amount = env.catalogue.to_base(grant.quantity, unit, "p_quantity")?;
    if !grant.quantity.is_positive() {
        return Err(Refusal::NotPositive {
            field: "p_quantity",
        }
        .into());
    }
    check_expiry(grant.expires_at, "p_expires_at", env.now)?;
    check_reason(grant.reason.as_deref(), "p_reason")?;
    let window_type_code = match &grant.window_type {
        Some(code) if env.catalogue.window_type(code).is_none() => {
            return Err(Refusal::UnknownCode {
                field: "p_window_type",
                value: code.to_string(),
            }
            .into());
        }
        Some(code) => code.clone(),
        None => longest_in_force(grant, env)?,
    };
    let mut changes = Vec::new();
    see_scope(env, &grant.resource, grant.scope.as_ref(), &mut changes)?;
    let grant_id = grant.grant_id.unwrap_or_else(|| ids.next_id());
    changes.push(Change::GrantPut(Grant {
        grant_id,
        account_id: env.account,
        resource_type_code: grant.resource.clone(),
        resource_scope: grant.scope.clone(),
        window_type_code,
        quantity: grant.quantity,
        unit_code: unit.unit_code.clone(),
        remaining: amount,
        priority: grant.priority,
        expires_at: grant.expires_at,
        reason: grant.reason.clone(),
        voided_at: None,
        created_at: env.now,
    }));
    Ok(Executed::changed(
        Answer::Id(Some(grant_id)),
        changes,
        Some(grant_id),
    ))
}

/// A grant lapses ahead, or never.
pub fn check_expiry(
    expires_at: Option<Timestamp>,
    field: &'static str,
    now: Timestamp,
) -> Result<(), Refusal> {
    match expires_at {
        Some(at) if at <= now => Err(Refusal::bad_value(field, "must lie ahead")),
        _ => Ok(()),
    }
}

/// A reason has a bound.
pub fn check_reason(reason: Option<&str>, field: &'static str) -> Result<(), Refusal> {
    match reason {
        Some(reason) if reason.len() > 1000 => Err(Refusal::bad_value(field, "at most 1000 bytes")),
        _ => Ok(()),
    }
}

/// A grant of the command's account, open or not.
pub fn find_grant<'a>(grant_id: Uuid, env: &Env<'a>) -> Result<&'a Grant, Stop> {
    let open = env.book.part(env.account)?.grants.iter();
    if let Some(grant) = open.into_iter().find(|grant| grant.grant_id == grant_id) {
        return Ok(grant);
    }
    let closed = env
        .book
        .closed_grants
        .get(&grant_id)
        .ok_or(Need::Grant(grant_id))?;
    let own = closed.as_ref().filter(|g| g.account_id == env.account);
    Ok(own.ok_or(Refusal::GrantNotFound)?)
}

fn longest_in_force(grant: &GrantCredit, env: &Env<'_>) -> Result<Code, Stop> {
    let levels = env.book.levels(env.account)?;
    let resource = env.catalogue.require_resource_type(&grant.resource)?;
    let context = Context::new();
    let query = Query {
        resource,
        scope: grant.scope.as_ref(),
        kinds: limits::CONSUMABLE,
        context: &context,
    };
    let found = applicable(env.catalogue, &levels, &query, env.now)?;
    let own = found
        .limits
        .iter()
        .filter(|l| l.level == 0 && l.kind == LimitKind::Cumulative);
    // Of equal ones, as a month and a billing cycle, the one of the oldest entitlement: the order in
    // which they are held is not the same after a restart.
    let oldest =
        |limit: &limits::Limit<'_>| limit.oldest().map(|e| (e.created_at, e.entitlement_id));
    let longest = own.max_by_key(|limit| {
        let length = limit.window_type.approx_length_minutes();
        (length, std::cmp::Reverse(oldest(limit)))
    });
    Ok(longest.map_or_else(|| "none".into(), |limit| limit.window_type.code.clone()))
}

/// Takes a grant back; answers what was left of it, in the resource's default unit.
pub fn void_grant(void: &VoidGrant, env: &Env<'_>) -> Result<Executed, Stop> {
    let grant = find_grant(void.grant_id, env)?;
    if grant.voided_at.is_some() {
        return Ok(Executed::unchanged(Answer::Number(Quantity::ZERO)));
    }
    let left = if grant.is_valid(env.now) {
        grant.remaining
    } else {
        0
    };
    let voided = Grant {
        voided_at: Some(env.now),
        remaining: 0,
        ..grant.clone()
    };
    let left = env.catalogue.in_unit(left, &grant.unit_code);
    Ok(Executed::changed(
        Answer::Number(left),
        vec![Change::GrantPut(voided)],
        None,
    ))
}
