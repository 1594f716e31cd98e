//! Changing the columns of an account. Another parent is a move, which is a command of its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use crate::account::{Account, AccountStatus};
use crate::answer::Answer;
use crate::change::Change;
use crate::command::{Env, Executed};
use crate::need::Stop;
use crate::ops::account::row_json;
use crate::refusal::Refusal;
use crate::time::Timestamp;

/// The columns that shall be; what is left out stays.
#[derive(Clone, Debug, Default, Serialize)]
pub struct UpdateAccount {
    /// Only where the row was last changed then.
    pub if_updated_at: Option<Timestamp>,
    /// The product's own id for it.
    pub external_id: Option<Option<String>>,
    /// Its name for people.
    pub display_name: Option<Option<String>>,
    /// Its e-mail address.
    pub email: Option<Option<String>>,
    /// An IANA zone name.
    pub timezone: Option<Option<String>>,
    /// All free fields.
    pub metadata: Option<BTreeMap<String, String>>,
    /// Whether it is served.
    pub status: Option<AccountStatus>,
}

/// Changes an account; answers its row. The engine has looked up that its external id is not another
/// account's; the store's constraint holds that between nodes.
pub fn update(update: &UpdateAccount, env: &Env<'_>) -> Result<Executed, Stop> {
    let held = &env.book.part(env.account)?.account;
    if update.if_updated_at.is_some_and(|at| at != held.updated_at) {
        return Err(Refusal::RowChanged.into());
    }
    let mut account = Account::clone(held);
    put(&mut account.external_id, &update.external_id);
    put(&mut account.display_name, &update.display_name);
    put(&mut account.email, &update.email);
    put(&mut account.timezone, &update.timezone);
    put(&mut account.metadata, &update.metadata);
    put(&mut account.status, &update.status);
    let namespace = env.book.namespace.as_str();
    if account == **held {
        return Ok(Executed::unchanged(Answer::Json(row_json(
            &account, namespace,
        ))));
    }
    account.validate()?;
    account.updated_at = env.now;
    let row = row_json(&account, namespace);
    let changes = vec![Change::AccountUpdated(Arc::new(account))];
    Ok(Executed::changed(Answer::Json(row), changes, None))
}

fn put<T: Clone>(column: &mut T, wanted: &Option<T>) {
    if let Some(wanted) = wanted {
        column.clone_from(wanted);
    }
}
