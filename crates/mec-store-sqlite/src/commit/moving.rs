//! An account's way to another place: its rows, those below it, and what they hold.

use mec_core::AccountId;
use mec_core::change::AccountMove;
use rusqlite::params;

use super::Target;
use crate::convert::{held, held_text, id};
use crate::error::Fault;
use crate::sql;
use crate::values::{At, Id, all, run};

pub(super) fn move_account(target: Target<'_>, moved: &AccountMove) -> Result<(), Fault> {
    if moved.to_tree != target.tree {
        return Err(Fault::Conflict(format!(
            "the account moves into the tree {}",
            moved.to_tree
        )));
    }
    let account = &moved.account;
    let row = params![
        target.namespace.as_str(),
        Id(account.account_id),
        account.parent_account_id.map(Id),
        At(account.updated_at),
    ];
    if run(target.conn, sql::ACCOUNT_UPDATE_PARENT_BY_ID, row)? == 0 {
        return Err(Fault::Conflict(format!(
            "the account {} does not exist",
            account.account_id
        )));
    }
    if let Some(parent) = account.parent_account_id {
        let of = params![target.namespace.as_str(), Id(parent)];
        run(target.conn, sql::ACCOUNT_MARK_PARENT_BY_ID, of)?;
    }
    let of = params![target.namespace.as_str(), Id(account.account_id)];
    let subtree = all(target.conn, sql::ACCOUNT_SELECT_SUBTREE_BY_ID, of, |row| {
        id(row, 0)
    })?;
    let left = moved.was_under.iter().filter(|level| is_left(moved, level));
    for level in left {
        for below in &subtree {
            let row = params![target.namespace.as_str(), Id(*level), Id(*below)];
            run(target.conn, sql::FORMER_DESCENDANT_INSERT, row)?;
        }
    }
    if moved.from_tree != moved.to_tree {
        for below in &subtree {
            let row = params![target.namespace.as_str(), Id(*below), Id(target.tree)];
            run(target.conn, sql::ACCOUNT_UPDATE_OWNER_BY_ID, row)?;
            run(target.conn, sql::OPEN_HOLD_UPDATE_TREE_BY_LEVEL, row)?;
        }
    }
    move_holds(target, moved)
}

fn is_left(moved: &AccountMove, level: &AccountId) -> bool {
    moved.was_under.contains(level) && !moved.is_under.contains(level)
}

/// What is held below the account stands at its own level, so the levels above it get copies of
/// that, and those it left lose theirs. Of the grants of a level that it left nothing is held.
fn move_holds(target: Target<'_>, moved: &AccountMove) -> Result<(), Fault> {
    let namespace = target.namespace.as_str();
    let from = Id(moved.account.account_id);
    let of = params![namespace, from];
    let reservations = all(
        target.conn,
        sql::RESERVATION_SELECT_HELD_BY_LEVEL,
        of,
        |row| Ok((id(row, 0)?, held(row, 1)?)),
    )?;
    for (reservation, holds) in reservations {
        let kept = holds.iter().filter(|hold| !is_left(moved, &hold.level));
        let row = params![namespace, Id(reservation), held_text(kept)?];
        run(target.conn, sql::RESERVATION_UPDATE_GRANT_HOLDS_BY_ID, row)?;
    }
    for level in moved.was_under.iter().filter(|level| is_left(moved, level)) {
        let row = params![namespace, from, Id(*level)];
        run(target.conn, sql::OPEN_HOLD_DELETE_COPIES_BY_LEVEL, row)?;
    }
    let is_new = |level: &&AccountId| !moved.was_under.contains(level);
    for level in moved.is_under.iter().filter(is_new) {
        let row = params![namespace, from, Id(*level)];
        run(target.conn, sql::OPEN_HOLD_COPY_BY_LEVEL, row)?;
    }
    Ok(())
}
