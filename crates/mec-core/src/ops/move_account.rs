//! Moving an account, with everything below it, to another parent or to a tree of its own.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Serialize;
use uuid::Uuid;

use crate::account::{Account, MAX_DEPTH};
use crate::answer::Answer;
use crate::book::{Levels, Part};
use crate::change::{AccountMove, Change, LimitKey};
use crate::command::{Env, Executed};
use crate::entitlement::LimitKind;
use crate::ids::Code;
use crate::limits::{self, Context, Query, applicable};
use crate::need::{Need, Stop};
use crate::ops::grace::{has_grace, touch_clock};
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
    let clocks = grace_clocks(env, part, &levels, &above)?;
    let account = Account {
        parent_account_id: to.new_parent,
        updated_at: env.now,
        ..(*part.account).clone()
    };
    let ids = |levels: &[&Part]| levels.iter().map(|part| part.id()).collect();
    let moved = AccountMove {
        account: Arc::new(account),
        was_under: levels.get(1..).map(ids).unwrap_or_default(),
        is_under: ids(&above),
        from_tree: part.tree_id,
        to_tree: above.first().map_or(env.account, |parent| parent.tree_id),
    };
    let mut changes = vec![Change::AccountMoved(moved)];
    changes.extend(clocks);
    Ok(Executed::changed(Answer::Bool(true), changes, None))
}

/// The grace clocks of the limits that the slots which come along bring above their allowance, at the
/// levels that the account joins. The limits are those that it would meet without a context. At the
/// levels that it leaves a clock is not read once what is used has fallen.
fn grace_clocks(
    env: &Env<'_>,
    part: &Part,
    levels: &Levels<'_>,
    above: &Levels<'_>,
) -> Result<Vec<Change>, Stop> {
    let after: Levels<'_> = std::iter::once(part).chain(above.iter().copied()).collect();
    let was_under = |id| levels.iter().any(|level| level.id() == id);
    let mut changes = Vec::new();
    for (resource, leased) in part.leased() {
        let resource = env.catalogue.resource_type(resource);
        let Some(resource) = resource.filter(|r| has_grace(env, &r.resource_type_code)) else {
            continue;
        };
        let scopes: BTreeSet<Option<&Code>> = leased
            .live(env.now)
            .map(|hold| hold.scope.as_ref())
            .collect();
        let mut seen: Vec<LimitKey> = Vec::new();
        for scope in scopes {
            let query = Query {
                resource,
                scope,
                kinds: limits::LEASABLE,
                context: &Context::new(),
            };
            for limit in &applicable(env.catalogue, &after, &query, env.now)?.limits {
                let key = limit.key(&resource.resource_type_code);
                let counts = limit.kind == LimitKind::Concurrency && !was_under(limit.part.id());
                if counts && !seen.contains(&key) {
                    let scope = limit.scope.map(|scope| &**scope);
                    let slots = leased.sum(env.now, scope, None, None);
                    touch_clock(env, &query, limit, slots, &mut changes)?;
                    seen.push(key);
                }
            }
        }
    }
    Ok(changes)
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
