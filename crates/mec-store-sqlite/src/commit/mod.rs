//! Writing a batch: each change as its rows, sums at the end, all in the batch's transaction.

mod account;
pub(crate) mod counters;
mod entitlement;
mod event;
mod grant;
pub(crate) mod hold;
mod log;
mod moving;
pub(crate) mod sums;

use mec_core::Namespace;
use mec_core::change::Change;
use mec_core::usage::CounterKey;
use mec_store::{CommitError, CommitSet, CounterName, TreeCommit};
use rusqlite::Connection;
use uuid::Uuid;

use crate::error::Fault;
use crate::writer::Writer;
use counters::CounterIds;
use sums::Sums;

/// Where a change is written to.
#[derive(Clone, Copy)]
struct Target<'a> {
    conn: &'a Connection,
    namespace: &'a Namespace,
    tree: Uuid,
}

/// Writes everything that a batch commits into the open transaction.
pub(crate) fn write(writer: &mut Writer, set: &CommitSet) -> Result<(), CommitError> {
    let Writer { conn, counters } = writer;
    let mut sums = Sums::default();
    for (command, tree, change) in set.changes() {
        let target = target(conn, tree);
        write_change(target, counters, &mut sums, command, change)
            .map_err(|fault| fault.of(Some(command)))?;
    }
    for tree in &set.trees {
        write_tree(conn, tree)?;
    }
    sums.write(conn)?;
    for key in &set.keys {
        log::insert_key(conn, key).map_err(|fault| fault.of(Some(key.command)))?;
    }
    for decision in &set.decisions {
        log::insert_decision(conn, decision).map_err(|fault| fault.of(None))?;
    }
    Ok(())
}

fn target<'a>(conn: &'a Connection, tree: &'a TreeCommit) -> Target<'a> {
    Target {
        conn,
        namespace: &tree.namespace,
        tree: tree.head.tree_id,
    }
}

/// Writes the head of a tree, whose changes are written.
fn write_tree(conn: &Connection, tree: &TreeCommit) -> Result<(), CommitError> {
    let target = target(conn, tree);
    let held = |(_, change): &(usize, Change)| match change {
        Change::LeasePut { levels, .. } | Change::ReservationPut { levels, .. } => levels.len(),
        _ => 0,
    };
    let holds: usize = tree.changes.iter().map(held).sum();
    // The owner of the changes cannot be told apart here: a head belongs to all commands of its tree.
    log::put_head(target, tree).map_err(|fault| fault.of(None))?;
    if holds > 0 {
        hold::delete_ended(target, tree.head.last_at, holds).map_err(|fault| fault.of(None))?;
    }
    Ok(())
}

fn write_change(
    target: Target<'_>,
    counters: &mut CounterIds,
    sums: &mut Sums,
    command: usize,
    change: &Change,
) -> Result<(), Fault> {
    match change {
        Change::AccountCreated(account) => account::insert(target, account),
        Change::AccountUpdated(account) => account::update(target, account),
        Change::ExternalIdLinked(link) => account::link(target, link),
        Change::ExternalIdUnlinked(link) => account::unlink(target, link),
        Change::AccountMoved(moved) => moving::move_account(target, moved),
        Change::EntitlementPut { old, new, audit } => {
            entitlement::put(target, old.as_deref(), new, audit)
        }
        Change::SubscriptionPut(subscription) => account::put_subscription(target, subscription),
        Change::EventRecorded { event, .. } => event::insert(target, event),
        Change::UsageAdded {
            level,
            resource,
            scope,
            drawn_for,
            bucket,
            amount,
        } => {
            let key = CounterKey {
                resource: resource.clone(),
                scope: None,
                drawn_for: drawn_for.clone(),
            };
            let counter = CounterName {
                namespace: target.namespace.clone(),
                level: *level,
                key,
            };
            if scope.is_some() {
                let mut exact = counter.clone();
                exact.key.scope.clone_from(scope);
                sums.add_usage(
                    counters.find_or_make(target.conn, exact)?,
                    *bucket,
                    *amount,
                    command,
                )?;
            }
            sums.add_usage(
                counters.find_or_make(target.conn, counter)?,
                *bucket,
                *amount,
                command,
            )
        }
        Change::OwnTotalAdded {
            level,
            resource,
            scope,
            amount,
        } => sums.add_own(
            target.namespace,
            *level,
            resource,
            scope.as_ref(),
            *amount,
            command,
        ),
        Change::ScopeSeen { resource, scope } => log::see_scope(target, resource, scope),
        Change::GrantPut(grant) => grant::put(target, grant),
        Change::Drawn {
            event_id,
            draw,
            grant_remaining,
        } => grant::draw(target, *event_id, draw, *grant_remaining),
        Change::ReservationPut {
            reservation,
            amount,
            levels,
        } => hold::put_reservation(target, reservation, *amount, levels),
        Change::LeasePut { lease, levels } => hold::put_lease(target, lease, levels),
        Change::GraceClock { limit, clock } => log::put_grace_clock(target, limit, *clock),
    }
}
