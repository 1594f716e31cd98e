//! `reserve`, `commit_reservation` and `release_reservation`: a hold on quota before work starts,
//! later turned into an event with the real quantity, or dropped.

use std::sync::Arc;

use serde::Serialize;
use uuid::Uuid;

use crate::answer::{Answer, Decision, ReserveAnswer};
use crate::change::Change;
use crate::command::{Env, Executed, is_granted};
use crate::decide::{Effect, Judgement, decision, judge};
use crate::ids::{AccountId, Code, IdSource};
use crate::ledger::Details;
use crate::limits::{self, Context, Query};
use crate::need::{Need, Stop};
use crate::ops::draws::grant_holds;
use crate::ops::meter::check_details;
use crate::ops::record::{Recording, record, see_scope};
use crate::quantity::Quantity;
use crate::refusal::Refusal;
use crate::reservation::{Reservation, ReservationStatus};
use crate::verdict::DecisionCode;

/// The longest hold: 30 days, in seconds.
pub const MAX_TTL_SECONDS: i64 = 30 * 24 * 3600;

/// Arguments of reserving.
#[derive(Clone, Debug, Serialize)]
pub struct Reserve {
    /// The resource.
    pub resource: Code,
    /// The scope.
    pub scope: Option<Code>,
    /// How much.
    pub quantity: Quantity,
    /// Its unit; the resource's default where none is named.
    pub unit: Option<Code>,
    /// What the caller tells for conditions.
    pub context: Context,
    /// How long the hold lasts, 1 to [`MAX_TTL_SECONDS`] seconds.
    pub ttl_seconds: i64,
}

/// Arguments of committing.
#[derive(Clone, Debug, Serialize)]
pub struct Commit {
    /// Which reservation.
    pub reservation_id: Uuid,
    /// The real quantity, in the reservation's unit; as reserved where none is given.
    pub quantity: Option<Quantity>,
    /// Free keys and texts.
    pub details: Details,
}

/// Arguments of releasing.
#[derive(Clone, Debug, Serialize)]
pub struct Release {
    /// Which reservation.
    pub reservation_id: Uuid,
}

/// The answer of a denied reserve.
pub fn denied(decision: Decision) -> Answer {
    Answer::Reserve(Box::new(ReserveAnswer {
        reservation_id: None,
        expires_at: None,
        decision,
    }))
}

/// Decides and holds.
pub fn reserve(reserve: &Reserve, env: &Env<'_>, ids: &mut dyn IdSource) -> Result<Executed, Stop> {
    let Some(resource) = env.catalogue.resource_type(&reserve.resource) else {
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
    if resource.is_concurrency {
        return Err(Refusal::UseAcquireLease(reserve.resource.to_string()).into());
    }
    if !(1..=MAX_TTL_SECONDS).contains(&reserve.ttl_seconds) {
        return Err(Refusal::bad_value("p_ttl_seconds", "1 to 2592000 seconds").into());
    }
    let unit = env.catalogue.unit_for(resource, reserve.unit.as_deref())?;
    let amount = env
        .catalogue
        .to_base(reserve.quantity, unit, "p_quantity")?;
    if !reserve.quantity.is_positive() {
        return Err(Refusal::NotPositive {
            field: "p_quantity",
        }
        .into());
    }
    let levels = env.book.levels(env.account)?;
    let query = Query {
        resource,
        scope: reserve.scope.as_ref(),
        kinds: limits::CONSUMABLE,
        context: &reserve.context,
    };
    let judgement = judge(env.catalogue, &levels, &query, amount, env.now)?;
    if !is_granted(judgement.verdict()) {
        let told = decision(
            env.catalogue,
            &judgement,
            amount,
            Effect::default(),
            env.now,
            false,
        )?;
        return Ok(Executed::unchanged(denied(told)));
    }
    let mut changes = Vec::new();
    see_scope(env, &reserve.resource, reserve.scope.as_ref(), &mut changes)?;
    let reservation = Arc::new(Reservation {
        reservation_id: ids.next_id(),
        account_id: env.account,
        resource_type_code: reserve.resource.clone(),
        resource_scope: reserve.scope.clone(),
        quantity: reserve.quantity,
        unit_code: unit.unit_code.clone(),
        created_at: env.now,
        expires_at: env.now.saturating_add_secs(reserve.ttl_seconds),
        status: ReservationStatus::Open,
        event_id: None,
        committed_quantity: None,
        grant_holds: grant_holds(env, &levels, &query, amount)?,
    });
    let effect = Effect {
        reserved: amount,
        ..Effect::default()
    };
    let answer = ReserveAnswer {
        reservation_id: Some(reservation.reservation_id),
        expires_at: Some(reservation.expires_at),
        decision: decision(env.catalogue, &judgement, amount, effect, env.now, false)?,
    };
    let made = reservation.reservation_id;
    changes.push(Change::ReservationPut {
        reservation,
        amount,
        levels: levels.iter().map(|part| part.id()).collect(),
    });
    Ok(Executed::changed(
        Answer::Reserve(Box::new(answer)),
        changes,
        Some(made),
    ))
}

/// Turns a hold into an event. Never refused for its quantity.
pub fn commit(commit: &Commit, env: &Env<'_>, ids: &mut dyn IdSource) -> Result<Executed, Stop> {
    let reservation = find(commit.reservation_id, env)?.ok_or(Refusal::ReservationNotFound)?;
    let quantity = commit.quantity.unwrap_or(reservation.quantity);
    if !quantity.is_positive() {
        return Err(Refusal::NotPositive {
            field: "p_quantity",
        }
        .into());
    }
    check_details(&commit.details)?;
    match reservation.status {
        ReservationStatus::Released => return Err(Refusal::AlreadyReleased.into()),
        ReservationStatus::Committed
            if commit.quantity.is_none() || reservation.committed_quantity == Some(quantity) =>
        {
            return Ok(Executed::unchanged(Answer::Id(reservation.event_id)));
        }
        ReservationStatus::Committed => {
            let held = reservation
                .committed_quantity
                .unwrap_or(reservation.quantity);
            return Err(Refusal::AlreadyCommitted(held.to_string()).into());
        }
        ReservationStatus::Open => {}
    }
    let resource = env
        .catalogue
        .require_resource_type(&reservation.resource_type_code)?;
    let unit = env
        .catalogue
        .unit_for(resource, Some(&reservation.unit_code))?;
    let recording = Recording {
        resource,
        scope: reservation.resource_scope.as_ref(),
        quantity,
        unit,
        amount: env.catalogue.to_base(quantity, unit, "p_quantity")?,
        occurred_at: reservation.created_at,
        period_start: None,
        period_end: None,
        corrects: None,
        ends: Some(reservation),
        details: commit.details.clone(),
        context: &Context::new(),
    };
    let recorded = record(&recording, env, ids)?;
    let done = Reservation {
        status: ReservationStatus::Committed,
        event_id: Some(recorded.event_id),
        committed_quantity: Some(quantity),
        ..(**reservation).clone()
    };
    let mut changes = recorded.changes;
    changes.push(ended(done, env)?);
    let mut executed = Executed::changed(
        Answer::Id(Some(recorded.event_id)),
        changes,
        Some(recorded.event_id),
    );
    executed.late = reservation.expires_at <= env.now;
    Ok(executed)
}

/// Drops a hold. False when it is not open any more.
pub fn release(release: &Release, env: &Env<'_>) -> Result<Executed, Stop> {
    let open = find(release.reservation_id, env)?.filter(|reservation| {
        reservation.status == ReservationStatus::Open && env.now < reservation.expires_at
    });
    let Some(reservation) = open else {
        return Ok(Executed::unchanged(Answer::Bool(false)));
    };
    let done = Reservation {
        status: ReservationStatus::Released,
        ..(**reservation).clone()
    };
    let changes = vec![ended(done, env)?];
    Ok(Executed::changed(Answer::Bool(true), changes, None))
}

fn ended(reservation: Reservation, env: &Env<'_>) -> Result<Change, Stop> {
    let levels: Vec<AccountId> = env
        .book
        .levels(reservation.account_id)?
        .iter()
        .map(|part| part.id())
        .collect();
    let amount = env
        .catalogue
        .amount_of(reservation.quantity, &reservation.unit_code)?;
    Ok(Change::ReservationPut {
        reservation: Arc::new(reservation),
        amount,
        levels,
    })
}

fn find<'a>(id: Uuid, env: &Env<'a>) -> Result<Option<&'a Arc<Reservation>>, Need> {
    if let Some(open) = env.book.part(env.account)?.reservations.get(&id) {
        return Ok(Some(open));
    }
    env.book
        .closed_reservations
        .get(&id)
        .map(Option::as_ref)
        .ok_or(Need::Reservation(id))
}
