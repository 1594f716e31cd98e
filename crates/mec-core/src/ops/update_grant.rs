//! Changing when a grant is drawn from, and why it was given. How much it gives does not change.

use serde::Serialize;
use uuid::Uuid;

use crate::answer::Answer;
use crate::change::Change;
use crate::command::{Env, Executed};
use crate::grant::Grant;
use crate::need::Stop;
use crate::ops::account::row_json;
use crate::ops::grant::{check_expiry, check_reason, find_grant};
use crate::refusal::Refusal;
use crate::time::Timestamp;

/// The columns that shall be; what is left out stays.
#[derive(Clone, Debug, Default, Serialize)]
pub struct UpdateGrant {
    /// Which grant.
    pub grant_id: Uuid,
    /// The highest is drawn first.
    pub priority: Option<i32>,
    /// When it lapses.
    pub expires_at: Option<Option<Timestamp>>,
    /// Why it was given.
    pub reason: Option<Option<String>>,
}

/// Changes a grant; answers its row. One that lapsed can be drawn from again where its new end lies
/// ahead; one that was voided changes no more.
pub fn update(update: &UpdateGrant, env: &Env<'_>) -> Result<Executed, Stop> {
    let held = find_grant(update.grant_id, env)?;
    let changed = Grant {
        priority: update.priority.unwrap_or(held.priority),
        expires_at: update.expires_at.unwrap_or(held.expires_at),
        reason: match &update.reason {
            Some(reason) => reason.clone(),
            None => held.reason.clone(),
        },
        ..held.clone()
    };
    let row = row_json(&changed, env.book.namespace.as_str());
    if changed == *held {
        return Ok(Executed::unchanged(Answer::Json(row)));
    }
    if held.voided_at.is_some() {
        return Err(Refusal::GrantVoided.into());
    }
    if changed.expires_at != held.expires_at {
        check_expiry(changed.expires_at, "expires_at", env.now)?;
    }
    check_reason(changed.reason.as_deref(), "reason")?;
    let changes = vec![Change::GrantPut(changed)];
    Ok(Executed::changed(Answer::Json(row), changes, None))
}
