//! `consume`: checks and records in one step, and refuses what the decision denies.

use serde::Serialize;

use crate::answer::{Answer, ConsumeAnswer, Decision};
use crate::command::{Env, Executed, is_granted};
use crate::decide::{Effect, Judgement, decision, judge};
use crate::ids::{Code, IdSource};
use crate::ledger::Details;
use crate::limits::{self, Context, Query};
use crate::need::Stop;
use crate::ops::meter::{check_details, check_sign};
use crate::ops::record::{Recorded, Recording, record};
use crate::quantity::Quantity;
use crate::refusal::Refusal;
use crate::verdict::DecisionCode;

/// Arguments of consuming.
#[derive(Clone, Debug, Serialize)]
pub struct Consume {
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
    /// Free keys and texts.
    pub details: Details,
}

/// The answer of a denied consume.
pub fn denied(decision: Decision) -> Answer {
    Answer::Consume(Box::new(ConsumeAnswer {
        event_id: None,
        decision,
    }))
}

/// Decides and records.
pub fn consume(consume: &Consume, env: &Env<'_>, ids: &mut dyn IdSource) -> Result<Executed, Stop> {
    let Some(resource) = env.catalogue.resource_type(&consume.resource) else {
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
        return Err(Refusal::UseAcquireLease(consume.resource.to_string()).into());
    }
    let unit = env.catalogue.unit_for(resource, consume.unit.as_deref())?;
    let amount = env
        .catalogue
        .to_base(consume.quantity, unit, "p_quantity")?;
    check_sign(consume.quantity, resource.is_inventory)?;
    check_details(&consume.details)?;
    let levels = env.book.levels(env.account)?;
    let query = Query {
        resource,
        scope: consume.scope.as_ref(),
        kinds: limits::CONSUMABLE,
        context: &consume.context,
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
    let recording = Recording {
        resource,
        scope: consume.scope.as_ref(),
        quantity: consume.quantity,
        unit,
        amount,
        occurred_at: env.now,
        period_start: None,
        period_end: None,
        corrects: None,
        ends: None,
        details: consume.details.clone(),
        context: &consume.context,
    };
    let recorded = record(&recording, env, ids)?;
    let effect = Effect {
        used: amount,
        reserved: 0,
        drawn: drawn_for(&judgement, &recorded),
    };
    let decision = decision(env.catalogue, &judgement, amount, effect, env.now, false)?;
    let answer = ConsumeAnswer {
        event_id: Some(recorded.event_id),
        decision,
    };
    Ok(Executed::changed(
        Answer::Consume(Box::new(answer)),
        recorded.changes,
        Some(recorded.event_id),
    ))
}

/// What the event drew from grants that lift the deciding limit.
fn drawn_for(judgement: &Judgement<'_>, recorded: &Recorded) -> i128 {
    let Some(judged) = judgement.deciding() else {
        return 0;
    };
    let limit = &judged.limit;
    recorded
        .drawn
        .iter()
        .filter(|(level, code, _)| *level == limit.level && *code == limit.window_type.code)
        .map(|d| d.2)
        .sum()
}
