//! What a step means that holds quota for a time, or ends such a hold.

use std::collections::BTreeMap;

use mec_core::{Command, ops};
use mec_engine::Target;

use super::commands::{
    context, ids, named, quantity as quantity_of, resource, scope, target, unit as unit_of,
};
use super::history::Step;
use super::play::Play;

pub fn reservation(play: &Play, step: &Step) -> Option<(Target, Command)> {
    let held = |nth| named(play, nth, |naive| ids(&naive.reservations, |held| held.id));
    Some(match *step {
        Step::Reserve {
            what,
            quantity,
            unit,
            ttl,
        } => {
            let reserve = ops::reserve::Reserve {
                resource: resource(play, what),
                scope: scope(what),
                quantity: quantity_of(quantity),
                unit: unit_of(play, what, unit),
                context: context(what),
                ttl_seconds: ttl.min(30 * 86_400),
            };
            (
                target(&play.here.naive, what.who),
                Command::Reserve(reserve),
            )
        }
        Step::Commit { nth, quantity } => {
            let commit = ops::reserve::Commit {
                reservation_id: held(nth)?,
                quantity: quantity.map(quantity_of),
                details: BTreeMap::new(),
            };
            let target = Target::Reservation(commit.reservation_id);
            (target, Command::CommitReservation(commit))
        }
        Step::Release { nth } => {
            let reservation_id = held(nth)?;
            let release = ops::reserve::Release { reservation_id };
            (
                Target::Reservation(reservation_id),
                Command::ReleaseReservation(release),
            )
        }
        _ => return None,
    })
}

pub fn lease(play: &Play, step: &Step) -> Option<(Target, Command)> {
    let held = |nth| named(play, nth, |naive| ids(&naive.leases, |held| held.id));
    Some(match *step {
        Step::Acquire {
            what,
            slots,
            ttl,
            session,
        } => {
            let acquire = ops::lease::Acquire {
                resource: resource(play, what),
                scope: scope(what),
                session_token: session.map(|session| format!("s{session}")),
                ttl_seconds: ttl,
                slots,
                session_metadata: None,
                context: context(what),
            };
            (
                target(&play.here.naive, what.who),
                Command::AcquireLease(acquire),
            )
        }
        Step::Heartbeat { nth, extend } => {
            let heartbeat = ops::lease::Heartbeat {
                lease_id: held(nth)?,
                extend_seconds: extend,
            };
            (
                Target::Lease(heartbeat.lease_id),
                Command::HeartbeatLease(heartbeat),
            )
        }
        Step::GiveBack { nth } => {
            let lease_id = held(nth)?;
            let release = ops::lease::Release { lease_id };
            (Target::Lease(lease_id), Command::ReleaseLease(release))
        }
        _ => return None,
    })
}
