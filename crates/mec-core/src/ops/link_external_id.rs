//! Linking the ids that providers have for an account to it, and taking such a link away.

use serde::Serialize;

use crate::account::{ExternalKey, ExternalLink};
use crate::answer::Answer;
use crate::change::Change;
use crate::command::{Env, Executed};
use crate::ids::{AccountId, is_code, is_key};
use crate::need::{Need, Stop};
use crate::ops::account::row_json;
use crate::refusal::Refusal;

/// Arguments of linking.
#[derive(Clone, Debug, Serialize)]
pub struct LinkExternalId {
    /// The provider's id.
    pub key: ExternalKey,
}

/// Arguments of taking a link away.
#[derive(Clone, Debug, Serialize)]
pub struct UnlinkExternalId {
    /// The provider's id.
    pub key: ExternalKey,
}

/// Links an id to the account; answers the row. One that is linked to it already changes nothing.
pub fn link(link: &LinkExternalId, env: &Env<'_>) -> Result<Executed, Stop> {
    if !is_code(&link.key.provider) {
        let expected = "1 to 100 bytes without control characters";
        return Err(Refusal::bad_value("provider", expected).into());
    }
    if !is_key(&link.key.external_id) {
        let expected = "1 to 255 bytes without control characters";
        return Err(Refusal::bad_value("external_id", expected).into());
    }
    let row = ExternalLink {
        key: link.key.clone(),
        account_id: env.account,
    };
    let answer = Answer::Json(row_json(&row, env.book.namespace.as_str()));
    match linked(&link.key, env)? {
        Some(holder) if holder == env.account => Ok(Executed::unchanged(answer)),
        Some(_) => Err(Refusal::Taken {
            field: "external_id",
        }
        .into()),
        None => {
            let changes = vec![Change::ExternalIdLinked(row)];
            Ok(Executed::changed(answer, changes, None))
        }
    }
}

/// Takes the link of an id to the account away; answers whether there was one.
pub fn unlink(unlink: &UnlinkExternalId, env: &Env<'_>) -> Result<Executed, Stop> {
    if linked(&unlink.key, env)? != Some(env.account) {
        return Ok(Executed::unchanged(Answer::Bool(false)));
    }
    let changes = vec![Change::ExternalIdUnlinked(ExternalLink {
        key: unlink.key.clone(),
        account_id: env.account,
    })];
    Ok(Executed::changed(Answer::Bool(true), changes, None))
}

fn linked(key: &ExternalKey, env: &Env<'_>) -> Result<Option<AccountId>, Stop> {
    // The link is the part's, so its account must be in the Book.
    env.book.part(env.account)?;
    let held = env.book.links.get(key);
    Ok(*held.ok_or_else(|| Need::Linked(key.clone()))?)
}
