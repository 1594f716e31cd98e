//! Creating accounts and changing whether they are served.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use uuid::Uuid;

use crate::account::{Account, AccountStatus, MAX_DEPTH};
use crate::answer::Answer;
use crate::change::Change;
use crate::command::{Env, Executed};
use crate::ids::Code;
use crate::need::Stop;
use crate::refusal::Refusal;

/// A new account's columns.
#[derive(Clone, Debug, Serialize)]
pub struct CreateAccount {
    /// Its id, chosen by the caller or made for it.
    pub account_id: Uuid,
    /// A row of `account_types`.
    pub account_type: Code,
    /// The account above it.
    pub parent: Option<Uuid>,
    /// The product's own id for it.
    pub external_id: Option<String>,
    /// Its name for people.
    pub display_name: Option<String>,
    /// Its e-mail address.
    pub email: Option<String>,
    /// An IANA zone name.
    pub timezone: Option<String>,
    /// Free fields.
    pub metadata: BTreeMap<String, String>,
    /// Whether it is served.
    pub status: AccountStatus,
}

/// Arguments of changing an account's status.
#[derive(Clone, Debug, Serialize)]
pub struct SetStatus {
    /// The status that shall be.
    pub status: AccountStatus,
}

/// Creates an account, as the owner of a new tree or below another. The engine has looked up that
/// neither its id nor its external id is taken; the store's constraints hold that between nodes.
pub fn create(create: &CreateAccount, env: &Env<'_>) -> Result<Executed, Stop> {
    if !env
        .catalogue
        .lookups
        .account_types
        .contains_key(&create.account_type)
    {
        let value = create.account_type.to_string();
        return Err(Refusal::UnknownCode {
            field: "account_type_code",
            value,
        }
        .into());
    }
    if create.parent.is_some() {
        let levels = env.book.levels(env.account)?;
        let Some(parent) = levels.first() else {
            return Err(Refusal::ParentNotFound.into());
        };
        let parent_type = &parent.account.account_type_code;
        if env
            .catalogue
            .lookups
            .account_types
            .get(parent_type)
            .is_some_and(|t| !t.can_have_children)
        {
            return Err(Refusal::ParentHasNoChildren(parent_type.to_string()).into());
        }
        if levels.len() >= MAX_DEPTH {
            return Err(Refusal::TooDeep { limit: MAX_DEPTH }.into());
        }
    }
    let account = Account {
        account_id: create.account_id,
        account_type_code: create.account_type.clone(),
        parent_account_id: create.parent,
        external_id: create.external_id.clone(),
        display_name: create.display_name.clone(),
        email: create.email.clone(),
        timezone: create.timezone.clone(),
        metadata: create.metadata.clone(),
        status: create.status,
        created_at: env.now,
        updated_at: env.now,
    };
    account.validate()?;
    let row = row_json(&account, env.book.namespace.as_str());
    Ok(Executed::changed(
        Answer::Json(row),
        vec![Change::AccountCreated(Arc::new(account))],
        Some(create.account_id),
    ))
}

/// Changes an account's status; answers whether it was another.
pub fn set_status(set: &SetStatus, env: &Env<'_>) -> Result<Executed, Stop> {
    let account = &env.book.part(env.account)?.account;
    if account.status == set.status {
        return Ok(Executed::unchanged(Answer::Bool(false)));
    }
    let account = Account {
        status: set.status,
        updated_at: env.now,
        ..(**account).clone()
    };
    Ok(Executed::changed(
        Answer::Bool(true),
        vec![Change::AccountUpdated(Arc::new(account))],
        None,
    ))
}

/// Blanks what tells who a person is: name, e-mail and metadata. The account keeps its ids and all that
/// was recorded of it. Answers its row, so that a repeated erasure is answered the same.
pub fn erase(env: &Env<'_>) -> Result<Executed, Stop> {
    let account = &env.book.part(env.account)?.account;
    let answer = |account: &Account| Answer::Json(row_json(account, env.book.namespace.as_str()));
    let is_blank =
        account.display_name.is_none() && account.email.is_none() && account.metadata.is_empty();
    if is_blank {
        return Ok(Executed::unchanged(answer(account)));
    }
    let account = Account {
        display_name: None,
        email: None,
        metadata: BTreeMap::new(),
        updated_at: env.now,
        ..(**account).clone()
    };
    Ok(Executed::changed(
        answer(&account),
        vec![Change::AccountUpdated(Arc::new(account))],
        None,
    ))
}

/// A row as JSON with its namespace.
pub fn row_json(row: &impl Serialize, namespace: &str) -> String {
    #[derive(Serialize)]
    struct Row<'a, T> {
        namespace_id: &'a str,
        #[serde(flatten)]
        row: &'a T,
    }
    // Serialising these rows into a string fails for no value of theirs.
    serde_json::to_string(&Row {
        namespace_id: namespace,
        row,
    })
    .unwrap_or_else(|_| "null".to_owned())
}
