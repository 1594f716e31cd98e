//! An account's way to another place: its rows, those below it, and what they hold.

use mec_core::change::AccountMove;
use mec_core::{AccountId, Namespace};
use uuid::Uuid;

use crate::connection::{Connection, Value};
use crate::error::Fault;
use crate::values::{At, Columns};
use crate::{convert, rows, sql};

pub(crate) async fn move_account(
    connection: &Connection,
    namespace: &Namespace,
    tree: Uuid,
    moved: &AccountMove,
) -> Result<(), Fault> {
    let ns = namespace.as_str();
    let account = &moved.account;
    let id = account.account_id;
    let row: [Value<'_>; 4] = [
        &ns,
        &id,
        &account.parent_account_id,
        &At(account.updated_at),
    ];
    if connection
        .run(sql::ACCOUNT_UPDATE_PARENT_BY_ID, &row)
        .await?
        == 0
    {
        return Err(Fault::Conflict(format!("the account {id} does not exist")));
    }
    if let Some(parent) = account.parent_account_id {
        let (namespaces, parents) = (vec![ns], vec![parent]);
        let of: [Value<'_>; 2] = [&namespaces, &parents];
        connection.run(sql::ACCOUNT_MARK_PARENTS_BY_ID, &of).await?;
    }
    let below = connection
        .all(sql::ACCOUNT_SELECT_SUBTREE_BY_ID, &[&ns, &id])
        .await?;
    let below: Vec<Uuid> = crate::load::read(&below, |row| row.read(0))?;
    for level in moved.was_under.iter().filter(|level| is_left(moved, level)) {
        let row: [Value<'_>; 3] = [&ns, level, &below];
        connection.run(sql::FORMER_DESCENDANT_INSERT, &row).await?;
    }
    if moved.from_tree != moved.to_tree {
        let row: [Value<'_>; 3] = [&ns, &below, &tree];
        connection
            .run(sql::ACCOUNT_UPDATE_OWNER_BY_ID, &row)
            .await?;
        connection
            .run(sql::OPEN_HOLD_UPDATE_TREE_BY_LEVEL, &row)
            .await?;
    }
    move_holds(connection, ns, moved).await
}

fn is_left(moved: &AccountMove, level: &AccountId) -> bool {
    moved.was_under.contains(level) && !moved.is_under.contains(level)
}

/// What is held below the account stands at its own level, so the levels above it get copies of
/// that, and those it left lose theirs. Of the grants of a level that it left nothing is held.
async fn move_holds(connection: &Connection, ns: &str, moved: &AccountMove) -> Result<(), Fault> {
    let from = moved.account.account_id;
    let held = connection
        .all(sql::RESERVATION_SELECT_HELD_BY_LEVEL, &[&ns, &from])
        .await?;
    for row in &held {
        let (reservation, holds) = (row.read::<Uuid>(0)?, convert::held(row, 1)?);
        let kept = holds.iter().filter(|hold| !is_left(moved, &hold.level));
        let kept = rows::held(kept).to_string();
        let row: [Value<'_>; 3] = [&ns, &reservation, &kept];
        connection
            .run(sql::RESERVATION_UPDATE_GRANT_HOLDS_BY_ID, &row)
            .await?;
    }
    for level in moved.was_under.iter().filter(|level| is_left(moved, level)) {
        let row: [Value<'_>; 3] = [&ns, &from, level];
        connection
            .run(sql::OPEN_HOLD_DELETE_COPIES_BY_LEVEL, &row)
            .await?;
    }
    let is_new = |level: &&AccountId| !moved.was_under.contains(level);
    for level in moved.is_under.iter().filter(is_new) {
        let row: [Value<'_>; 3] = [&ns, &from, level];
        connection.run(sql::OPEN_HOLD_COPY_BY_LEVEL, &row).await?;
    }
    Ok(())
}
