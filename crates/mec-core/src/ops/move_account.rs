//! Moving an account, with everything below it, to another parent or to a tree of its own.

use std::sync::Arc;

use serde::Serialize;
use uuid::Uuid;

use crate::account::{Account, MAX_DEPTH};
use crate::answer::Answer;
use crate::book::Levels;
use crate::change::{AccountMove, Change};
use crate::command::{Env, Executed};
use crate::need::{Need, Stop};
use crate::refusal::Refusal;

/// Arguments of moving.
#[derive(Clone, Debug, Serialize)]
pub struct MoveAccount {
    /// The account that shall stand above it; none makes it the owner of a tree.
    pub new_parent: Option<Uuid>,
}

/// Moves the account of the command; answers whether it stood elsewhere before. Nothing is refused
/// for a limit: what is held may stand above the limits of the new levels. The engine has looked up
/// that the new parent exists, and runs nothing beside this command.
pub fn move_account(to: &MoveAccount, env: &Env<'_>) -> Result<Executed, Stop> {
    let levels = env.book.levels(env.account)?;
    let part = env.book.part(env.account)?;
    if part.account.parent_account_id == to.new_parent {
        return Ok(Executed::unchanged(Answer::Bool(false)));
    }
    let above = match to.new_parent {
        Some(parent) => env.book.levels(parent)?,
        None => Levels::new(),
    };
    fits(env, &above)?;
    let account = Account {
        parent_account_id: to.new_parent,
        updated_at: env.now,
        ..(*part.account).clone()
    };
    let ids = |levels: &[&crate::Part]| levels.iter().map(|part| part.id()).collect();
    let moved = AccountMove {
        account: Arc::new(account),
        was_under: levels.get(1..).map(ids).unwrap_or_default(),
        is_under: ids(&above),
        from_tree: part.tree_id,
        to_tree: above.first().map_or(env.account, |parent| parent.tree_id),
    };
    Ok(Executed::changed(
        Answer::Bool(true),
        vec![Change::AccountMoved(moved)],
        None,
    ))
}

fn fits(env: &Env<'_>, above: &Levels<'_>) -> Result<(), Stop> {
    let Some(parent) = above.first() else {
        return Ok(());
    };
    if above.iter().any(|part| part.id() == env.account) {
        return Err(Refusal::bad_value(
            "parent_account_id",
            "an account that is neither this one nor below it",
        )
        .into());
    }
    let parent_type = &parent.account.account_type_code;
    let types = &env.catalogue.lookups.account_types;
    if types
        .get(parent_type)
        .is_some_and(|row| !row.can_have_children)
    {
        return Err(Refusal::ParentHasNoChildren(parent_type.to_string()).into());
    }
    let below = env
        .book
        .levels_below
        .get(&env.account)
        .ok_or(Need::LevelsBelow(env.account))?;
    if above.len().saturating_add(1).saturating_add(*below) > MAX_DEPTH {
        return Err(Refusal::TooDeep { limit: MAX_DEPTH }.into());
    }
    Ok(())
}
