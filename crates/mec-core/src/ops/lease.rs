//! `acquire_lease`, `heartbeat_lease` and `release_lease`: floating licences with fencing tokens.

use std::sync::Arc;

use serde::Serialize;
use uuid::Uuid;

use crate::answer::{Answer, Decision, LeaseAnswer};
use crate::change::Change;
use crate::command::{Env, Executed, is_granted};
use crate::decide::{Effect, Judgement, decision, judge, not_served};
use crate::entitlement::LimitKind;
use crate::ids::{AccountId, Code, IdSource};
use crate::lease::Lease;
use crate::limits::{self, Context, Query, applicable};
use crate::need::Stop;
use crate::ops::grace::{has_grace, touch_clock};
use crate::ops::record::see_scope;
use crate::quantity::Quantity;
use crate::refusal::Refusal;
use crate::verdict::DecisionCode;

/// The longest lease or extension: 366 days, in seconds.
pub const MAX_TTL_SECONDS: i64 = 366 * 24 * 3600;
/// The most slots of one lease.
pub const MAX_SLOTS: u32 = 1_000_000;

/// Arguments of acquiring.
#[derive(Clone, Debug, Serialize)]
pub struct Acquire {
    /// The resource.
    pub resource: Code,
    /// The scope.
    pub scope: Option<Code>,
    /// Unique among the live leases of the account, resource and scope.
    pub session_token: Option<String>,
    /// How long it lasts, 1 to [`MAX_TTL_SECONDS`] seconds.
    pub ttl_seconds: i64,
    /// How many slots, 1 to [`MAX_SLOTS`].
    pub slots: u32,
    /// Free fields of the product, as JSON text.
    pub session_metadata: Option<String>,
    /// What the caller tells for conditions.
    pub context: Context,
}

/// Arguments of a heartbeat.
#[derive(Clone, Debug, Serialize)]
pub struct Heartbeat {
    /// Which lease.
    pub lease_id: Uuid,
    /// By how much from now on; the lease's own TTL where none is given.
    pub extend_seconds: Option<i64>,
}

/// Arguments of releasing.
#[derive(Clone, Debug, Serialize)]
pub struct Release {
    /// Which lease.
    pub lease_id: Uuid,
}

/// The answer of a denied acquire.
pub fn denied(decision: Decision) -> Answer {
    let answer = LeaseAnswer {
        success: false,
        lease_id: None,
        fencing_token: None,
        expires_at: None,
        decision,
    };
    Answer::Lease(Box::new(answer))
}

/// Decides and takes slots. A session that holds a live lease gets that lease again.
pub fn acquire(acquire: &Acquire, env: &Env<'_>, ids: &mut dyn IdSource) -> Result<Executed, Stop> {
    let Some(resource) = env.catalogue.resource_type(&acquire.resource) else {
        let unknown = Judgement::denied(DecisionCode::UnknownResourceType);
        return Ok(Executed::unchanged(denied(decision(
            env.catalogue,
            &unknown,
            0,
            Effect::default(),
            env.now,
            false,
        )?)));
    };
    if !resource.is_concurrency {
        return Err(Refusal::NotConcurrent(acquire.resource.to_string()).into());
    }
    if !(1..=MAX_TTL_SECONDS).contains(&acquire.ttl_seconds) {
        return Err(
            Refusal::bad_value("p_ttl_seconds", "a lease lasts 1 second to 366 days").into(),
        );
    }
    if !(1..=MAX_SLOTS).contains(&acquire.slots) {
        return Err(Refusal::bad_value("p_slots", "1 to 1000000").into());
    }
    let levels = env.book.levels(env.account)?;
    // An account that is not served gets no lease again, either: the judgement below denies it.
    if let Some(held) = live_session(acquire, env)?.filter(|_| not_served(&levels).is_none()) {
        if held.slots != acquire.slots {
            return Err(Refusal::SessionConflict { held: held.slots }.into());
        }
        return Ok(Executed::unchanged(repeated(held)));
    }
    let requested = Quantity::from_int(i64::from(acquire.slots)).micros();
    let query = Query {
        resource,
        scope: acquire.scope.as_ref(),
        kinds: limits::LEASABLE,
        context: &acquire.context,
    };
    let judgement = judge(env.catalogue, &levels, &query, requested, env.now)?;
    if !is_granted(judgement.verdict()) {
        let told = decision(
            env.catalogue,
            &judgement,
            requested,
            Effect::default(),
            env.now,
            false,
        )?;
        return Ok(Executed::unchanged(denied(told)));
    }
    let mut changes = Vec::new();
    see_scope(env, &acquire.resource, acquire.scope.as_ref(), &mut changes)?;
    if has_grace(env, &acquire.resource) {
        for limit in applicable(env.catalogue, &levels, &query, env.now)?
            .limits
            .iter()
            .filter(|l| l.kind == LimitKind::Concurrency)
        {
            touch_clock(env, &query, limit, requested, &mut changes)?;
        }
    }
    let effect = Effect {
        used: requested,
        ..Effect::default()
    };
    let lease_id = ids.next_id();
    let answer = LeaseAnswer {
        success: true,
        lease_id: Some(lease_id),
        fencing_token: Some(env.book.head.fencing_token.saturating_add(1)),
        expires_at: Some(env.now.saturating_add_secs(acquire.ttl_seconds)),
        decision: decision(env.catalogue, &judgement, requested, effect, env.now, false)?,
    };
    let answer = Answer::Lease(Box::new(answer));
    let lease = Lease {
        lease_id,
        account_id: env.account,
        resource_type_code: acquire.resource.clone(),
        resource_scope: acquire.scope.clone(),
        slots: acquire.slots,
        fencing_token: env.book.head.fencing_token.saturating_add(1),
        acquired_at: env.now,
        expires_at: env.now.saturating_add_secs(acquire.ttl_seconds),
        last_heartbeat: env.now,
        released_at: None,
        session_token: acquire.session_token.clone(),
        session_metadata: acquire.session_metadata.clone(),
        ttl_seconds: acquire.ttl_seconds,
        decision: answer.to_json(),
    };
    changes.push(put(lease, env)?);
    Ok(Executed::changed(answer, changes, Some(lease_id)))
}

/// Extends a lease. False for one that has ended, or whose account is not served.
pub fn heartbeat(heartbeat: &Heartbeat, env: &Env<'_>) -> Result<Executed, Stop> {
    if heartbeat
        .extend_seconds
        .is_some_and(|seconds| !(1..=MAX_TTL_SECONDS).contains(&seconds))
    {
        return Err(
            Refusal::bad_value("p_extend_seconds", "an extension is 1 second to 366 days").into(),
        );
    }
    let levels = env.book.levels(env.account)?;
    let served = not_served(&levels).is_none();
    let Some(lease) = live_lease(heartbeat.lease_id, env)?.filter(|_| served) else {
        return Ok(Executed::unchanged(Answer::Bool(false)));
    };
    let until = env
        .now
        .saturating_add_secs(heartbeat.extend_seconds.unwrap_or(lease.ttl_seconds));
    let extended = Lease {
        expires_at: lease.expires_at.max(until),
        last_heartbeat: env.now,
        ..(**lease).clone()
    };
    let changes = vec![put(extended, env)?];
    Ok(Executed::changed(Answer::Bool(true), changes, None))
}

/// Gives a lease back. False for one that has ended.
pub fn release(release: &Release, env: &Env<'_>) -> Result<Executed, Stop> {
    let Some(lease) = live_lease(release.lease_id, env)? else {
        return Ok(Executed::unchanged(Answer::Bool(false)));
    };
    let released = Lease {
        released_at: Some(env.now),
        ..(**lease).clone()
    };
    let changes = vec![put(released, env)?];
    Ok(Executed::changed(Answer::Bool(true), changes, None))
}

fn live_session<'a>(acquire: &Acquire, env: &Env<'a>) -> Result<Option<&'a Arc<Lease>>, Stop> {
    let Some(token) = &acquire.session_token else {
        return Ok(None);
    };
    Ok(env.book.part(env.account)?.session(
        &acquire.resource,
        acquire.scope.as_ref(),
        token,
        env.now,
    ))
}

fn live_lease<'a>(id: Uuid, env: &Env<'a>) -> Result<Option<&'a Arc<Lease>>, Stop> {
    Ok(env
        .book
        .part(env.account)?
        .leases
        .get(&id)
        .filter(|lease| lease.is_live(env.now)))
}

/// The first answer again, with the expiry that heartbeats have given the lease since.
fn repeated(lease: &Lease) -> Answer {
    const FIELD: &str = "\"expires_at\":\"";
    let replaced = lease.decision.split_once(FIELD).and_then(|(before, rest)| {
        let (_, after) = rest.split_once('"')?;
        Some(format!("{before}{FIELD}{}\"{after}", lease.expires_at))
    });
    Answer::Json(replaced.unwrap_or_else(|| lease.decision.clone()))
}

fn put(lease: Lease, env: &Env<'_>) -> Result<Change, Stop> {
    let levels: Vec<AccountId> = env
        .book
        .levels(lease.account_id)?
        .iter()
        .map(|part| part.id())
        .collect();
    Ok(Change::LeasePut {
        lease: Arc::new(lease),
        levels,
    })
}
