//! Applying a batch to the state.

use std::sync::Arc;

use mec_core::AccountId;
use mec_core::change::{AccountMove, Change};
use mec_core::usage::CounterKey;

use super::state::{Space, State, Used};
use crate::{CommitError, CommitSet, KeyState, TreeCommit, key_hash};

/// The most base units, in millionths, that a sum may reach either way.
const MOST: i128 = (1 << 62) * 1_000_000;

/// Applies everything, or says what is refused.
pub(super) fn write(state: &mut State, set: &CommitSet) -> Result<(), CommitError> {
    for (command, tree, change) in set.changes() {
        let applied = apply(state.space_mut(&tree.namespace), tree, change);
        applied.map_err(|refusal| refusal.of(Some(command)))?;
    }
    for tree in &set.trees {
        let space = state.space_mut(&tree.namespace);
        if space.heads.contains_key(&tree.head.tree_id) == tree.is_new {
            return Err(refuse("the tree exists already, or does not exist").of(None));
        }
        space.heads.insert(tree.head.tree_id, tree.head.clone());
    }
    for key in &set.keys {
        let space = state.space_mut(&key.namespace);
        if space.key(key_hash(&key.key)) != KeyState::Free {
            return Err(refuse("the idempotency key exists already").of(Some(key.command)));
        }
        space.keys.push(key.clone());
    }
    for decision in &set.decisions {
        state
            .space_mut(&decision.namespace)
            .decisions
            .push(decision.clone());
    }
    Ok(())
}

struct Refused {
    reason: &'static str,
    overflow: bool,
}

impl Refused {
    fn of(self, command: Option<usize>) -> CommitError {
        CommitError::Refused {
            command,
            reason: self.reason.to_owned(),
            overflow: self.overflow,
        }
    }
}

fn refuse(reason: &'static str) -> Refused {
    Refused {
        reason,
        overflow: false,
    }
}

fn refuse_if(refused: bool, reason: &'static str) -> Result<(), Refused> {
    if refused { Err(refuse(reason)) } else { Ok(()) }
}

fn within(sum: Option<i128>) -> Result<(), Refused> {
    let fits = sum.is_some_and(|sum| (-MOST..MOST).contains(&sum));
    if fits {
        Ok(())
    } else {
        Err(Refused {
            reason: "a sum would exceed what a sum can hold",
            overflow: true,
        })
    }
}

fn apply(space: &mut Space, tree: &TreeCommit, change: &Change) -> Result<(), Refused> {
    match change {
        Change::AccountCreated(account) => {
            refuse_if(
                space.accounts.contains_key(&account.account_id),
                "the account exists already",
            )?;
            let orphan = account
                .parent_account_id
                .is_some_and(|parent| !space.accounts.contains_key(&parent));
            refuse_if(orphan, "the parent account does not exist")?;
            put_account(space, account)
        }
        Change::AccountUpdated(account) => {
            refuse_if(
                !space.accounts.contains_key(&account.account_id),
                "the account does not exist",
            )?;
            put_account(space, account)
        }
        Change::AccountMoved(moved) => {
            refuse_if(
                moved.to_tree != tree.head.tree_id,
                "the account moves into another tree than the one that is committed",
            )?;
            move_account(space, moved);
            Ok(())
        }
        Change::ExternalIdLinked(link) => {
            refuse_if(
                !space.accounts.contains_key(&link.account_id),
                "the account does not exist",
            )?;
            let held = space.links.insert(link.key.clone(), link.account_id);
            refuse_if(held.is_some(), "external_id is linked already")
        }
        Change::ExternalIdUnlinked(link) => {
            let held = space.links.remove(&link.key);
            refuse_if(
                held != Some(link.account_id),
                "external_id is not linked to the account",
            )
        }
        Change::EntitlementPut { old, new, .. } => {
            let held = space
                .entitlements
                .get(&new.entitlement_id)
                .map(|held| held.version);
            refuse_if(
                held != old.as_ref().map(|old| old.version),
                "the entitlement is not at the version that is replaced",
            )?;
            refuse_if(
                !space.accounts.contains_key(&new.account_id),
                "the account does not exist",
            )?;
            space.entitlements.insert(new.entitlement_id, new.clone());
            Ok(())
        }
        Change::SubscriptionPut(subscription) => {
            space
                .subscriptions
                .insert(subscription.subscription_id, subscription.clone());
            Ok(())
        }
        Change::EventRecorded { event, amount } => {
            refuse_if(
                space.event(event.event_id).is_some(),
                "the event exists already",
            )?;
            space.events.push((event.clone(), *amount));
            Ok(())
        }
        Change::UsageAdded {
            level,
            resource,
            scope,
            drawn_for,
            bucket,
            amount,
        } => {
            let (level, resource, scope) = (*level, resource.clone(), scope.clone());
            space.usage.push(Used {
                level,
                resource,
                scope,
                drawn_for: drawn_for.clone(),
                bucket: *bucket,
                amount: *amount,
            });
            totals_fit(space)
        }
        Change::OwnTotalAdded {
            level,
            resource,
            scope,
            amount,
        } => {
            space
                .own_totals
                .push((*level, resource.clone(), scope.clone(), *amount));
            within(space.own_total(*level, resource, scope.as_ref()))
        }
        Change::ScopeSeen { resource, scope } => {
            space
                .scopes
                .insert((tree.head.tree_id, resource.clone(), scope.clone()));
            Ok(())
        }
        Change::GrantPut(grant) => {
            within(Some(grant.remaining))?;
            let held = space.grants.insert(grant.grant_id, grant.clone());
            refuse_if(
                held.is_some_and(|held| held.account_id != grant.account_id),
                "grant_id is another account's",
            )
        }
        Change::Drawn {
            event_id,
            draw,
            grant_remaining,
        } => {
            within(Some(*grant_remaining))?;
            let grant = space
                .grants
                .get_mut(&draw.grant_id)
                .ok_or_else(|| refuse("the grant does not exist"))?;
            grant.remaining = *grant_remaining;
            space.draws.push((*event_id, draw.clone()));
            Ok(())
        }
        Change::ReservationPut {
            reservation,
            amount,
            levels,
        } => {
            within(Some(*amount))?;
            space.reservations.insert(
                reservation.reservation_id,
                (reservation.clone(), *amount, levels.clone()),
            );
            Ok(())
        }
        Change::LeasePut { lease, levels } => {
            space
                .leases
                .insert(lease.lease_id, (lease.clone(), levels.clone()));
            Ok(())
        }
        Change::GraceClock { limit, clock } => {
            space.grace.retain(|(held, _)| held != limit);
            space
                .grace
                .extend(clock.map(|clock| (limit.clone(), clock)));
            Ok(())
        }
    }
}

/// Moves an account: its holds and those of all below it count at the new levels, and hold nothing
/// of the grants of levels that it left.
fn move_account(space: &mut Space, moved: &AccountMove) {
    space
        .accounts
        .insert(moved.account.account_id, moved.account.clone());
    let subtree = space.subtree(moved.account.account_id);
    let is_left =
        |level: &AccountId| moved.was_under.contains(level) && !moved.is_under.contains(level);
    let relocate = |levels: &mut Vec<AccountId>| {
        levels.retain(|level| !moved.was_under.contains(level));
        levels.extend(&moved.is_under);
    };
    for (lease, levels) in space.leases.values_mut() {
        if subtree.contains(&lease.account_id) {
            relocate(levels);
        }
    }
    for (reservation, _, levels) in space.reservations.values_mut() {
        if subtree.contains(&reservation.account_id) {
            relocate(levels);
            Arc::make_mut(reservation)
                .grant_holds
                .retain(|hold| !is_left(&hold.level));
        }
    }
}

fn put_account(
    space: &mut Space,
    account: &Arc<mec_core::account::Account>,
) -> Result<(), Refused> {
    let taken = account.external_id.is_some()
        && space
            .accounts
            .values()
            .any(|a| a.account_id != account.account_id && a.external_id == account.external_id);
    refuse_if(taken, "external_id is taken")?;
    space.accounts.insert(account.account_id, account.clone());
    Ok(())
}

/// Whether the all-time totals that the last amount went into are within bounds.
fn totals_fit(space: &Space) -> Result<(), Refused> {
    let Some(last) = space.usage.last() else {
        return Ok(());
    };
    for scope in [None, last.scope.clone()] {
        let counter = CounterKey {
            resource: last.resource.clone(),
            scope,
            drawn_for: last.drawn_for.clone(),
        };
        let mut amounts = space
            .usage
            .iter()
            .filter(|used| used.counts(last.level, &counter))
            .map(|used| used.amount);
        within(amounts.try_fold(0_i128, |sum, amount| sum.checked_add(amount)))?;
    }
    Ok(())
}
