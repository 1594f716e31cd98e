//! Accounts and their subscriptions.

use mec_core::account::{Account, ExternalLink};
use mec_core::plan::Subscription;
use rusqlite::params;

use super::Target;
use crate::error::Fault;
use crate::sql;
use crate::values::{At, Id, run};

pub(super) fn insert(target: Target<'_>, account: &Account) -> Result<(), Fault> {
    let row = params![
        target.namespace.as_str(),
        Id(account.account_id),
        account.account_type_code,
        account.parent_account_id.map(Id),
        Id(target.tree),
        account.external_id,
        account.display_name,
        account.email,
        account.timezone,
        metadata(account)?,
        account.status.as_str(),
        At(account.created_at),
        At(account.updated_at),
    ];
    run(target.conn, sql::ACCOUNT_INSERT, row)?;
    if let Some(parent) = account.parent_account_id {
        run(
            target.conn,
            sql::ACCOUNT_MARK_PARENT_BY_ID,
            params![target.namespace.as_str(), Id(parent)],
        )?;
    }
    Ok(())
}

pub(super) fn update(target: Target<'_>, account: &Account) -> Result<(), Fault> {
    let row = params![
        target.namespace.as_str(),
        Id(account.account_id),
        account.account_type_code,
        account.external_id,
        account.display_name,
        account.email,
        account.timezone,
        metadata(account)?,
        account.status.as_str(),
        At(account.updated_at),
    ];
    match run(target.conn, sql::ACCOUNT_UPDATE_BY_ID, row)? {
        0 => Err(Fault::Conflict(format!(
            "the account {} does not exist",
            account.account_id
        ))),
        _ => Ok(()),
    }
}

pub(super) fn link(target: Target<'_>, link: &ExternalLink) -> Result<(), Fault> {
    let row = params![
        target.namespace.as_str(),
        link.key.external_id,
        link.key.provider,
        Id(link.account_id),
    ];
    run(target.conn, sql::EXTERNAL_ID_INSERT, row)?;
    Ok(())
}

pub(super) fn unlink(target: Target<'_>, link: &ExternalLink) -> Result<(), Fault> {
    let row = params![
        target.namespace.as_str(),
        link.key.external_id,
        link.key.provider,
        Id(link.account_id),
    ];
    match run(target.conn, sql::EXTERNAL_ID_DELETE_BY_ACCOUNT, row)? {
        0 => Err(Fault::Conflict(format!(
            "external_id is not linked to the account {}",
            link.account_id
        ))),
        _ => Ok(()),
    }
}

pub(super) fn put_subscription(
    target: Target<'_>,
    subscription: &Subscription,
) -> Result<(), Fault> {
    let row = params![
        target.namespace.as_str(),
        Id(subscription.subscription_id),
        Id(subscription.account_id),
        subscription.plan_id,
        subscription.external_id,
        subscription.status.as_str(),
        subscription.quantity,
        At(subscription.current_period_start),
        subscription.current_period_end.map(At),
        subscription.cancel_at.map(At),
        At(subscription.created_at),
        At(subscription.updated_at),
    ];
    run(target.conn, sql::SUBSCRIPTION_UPSERT_BY_ID, row)?;
    Ok(())
}

fn metadata(account: &Account) -> Result<String, Fault> {
    serde_json::to_string(&account.metadata)
        .map_err(|error| Fault::Conflict(format!("metadata: {error}")))
}
