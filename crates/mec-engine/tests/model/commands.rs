//! What a step of a history means where it stands: the command and whom it is about.

use std::collections::BTreeMap;

use mec_core::account::AccountStatus;
use mec_core::entitlement::EntitlementStatus;
use mec_core::{Code, Command, Quantity, Timestamp, ops};
use mec_engine::Target;
use uuid::Uuid;

use super::history::{Entitle, Step, What, When};
use super::naive::Naive;
use super::offers::{conditions, kind};
use super::play::Play;
use super::windows::TYPES;

pub const RESOURCES: [&str; 7] = [
    "benchmark_runs",
    "gpu_hours",
    "concurrent_users",
    "server_configs",
    "platform_access",
    "api_requests",
    "nothing",
];

/// First moments close to what is hard: ends of months and years, and changes of the clock.
pub const STARTS: [&str; 8] = [
    "2026-11-24T10:00:00Z",
    "2026-12-31T22:58:30.5Z",
    "2026-03-29T00:30:00Z",
    "2026-10-25T00:20:10Z",
    "2026-11-01T05:30:00Z",
    "2028-02-28T23:59:59.999999Z",
    "2026-01-31T18:29:00Z",
    "2026-03-08T06:59:00.25Z",
];

const ZONES: [&str; 4] = ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "UTC"];
const KINDS: [&str; 4] = ["organization", "team", "team", "user"];
pub const PLANS: [&str; 5] = ["small", "large", "more", "trial", "none"];
/// In millionths.
const QUANTITIES: [i64; 12] = [
    1_000_000, 2_000_000, 3_000_000, 1_000_000, 4_000_000, 5_000_000, 7_000_000, 10_000_000,
    500_000, 1_333_333, 0, -2_000_000,
];

pub fn takes_key(command: &Command) -> bool {
    matches!(
        command,
        Command::Meter(_)
            | Command::Consume(_)
            | Command::Reserve(_)
            | Command::Correct(_)
            | Command::SetInventory(_)
            | Command::GrantCredit(_)
    )
}

/// The command of a step and whom it is about; none for a step about something that is not there yet.
pub fn command(play: &Play, step: &Step) -> Option<(Target, Command)> {
    let naive = &play.naive;
    Some(match *step {
        Step::Account { under, kind, zone } => new_account(naive, under, kind, zone),
        Step::Status { who, status } => {
            let set = ops::account::SetStatus {
                status: match status {
                    0 => AccountStatus::Suspended,
                    1 => AccountStatus::Inactive,
                    _ => AccountStatus::Active,
                },
            };
            (target(naive, who), Command::SetAccountStatus(set))
        }
        Step::Entitle(what, row) => (target(naive, what.who), entitle(play, what, row)),
        Step::Correct { nth, quantity } => {
            let event_id = pick(nth, naive.events.iter().map(|event| event.id))?;
            let correct = ops::correct::Correct {
                event_id,
                quantity: self::quantity(quantity),
                reason: None,
            };
            (Target::Event(event_id), Command::Correct(correct))
        }
        Step::Grant { .. } | Step::Void { .. } => return grant(play, step),
        Step::Reserve { .. } | Step::Commit { .. } | Step::Release { .. } => {
            return reservation(play, step);
        }
        Step::Acquire { .. } | Step::Heartbeat { .. } | Step::GiveBack { .. } => {
            return lease(play, step);
        }
        Step::Provision { .. } | Step::ChangePlan { .. } | Step::CancelPlan { .. } => {
            return plan(play, step);
        }
        _ => return usage(play, step),
    })
}

/// A call that no step makes, to come with a key that was another's.
pub fn another_call(play: &Play) -> (Target, Command) {
    let meter = ops::meter::Meter {
        resource: RESOURCES[0].into(),
        scope: Some("other".into()),
        quantity: Quantity::ONE,
        unit: None,
        occurred_at: None,
        period_start: None,
        period_end: None,
        details: BTreeMap::new(),
    };
    (target(&play.naive, 0), Command::Meter(meter))
}

fn usage(play: &Play, step: &Step) -> Option<(Target, Command)> {
    let (what, command) = match *step {
        Step::Check {
            what,
            quantity,
            unit,
            explain,
        } => {
            let check = ops::check::Check {
                resource: resource(play, what),
                scope: scope(what),
                quantity: self::quantity(quantity),
                unit: self::unit(play, what, unit),
                context: context(what),
                explain,
            };
            (what, Command::Check(check))
        }
        Step::Meter {
            what,
            quantity,
            unit,
            at,
        } => {
            let meter = ops::meter::Meter {
                resource: resource(play, what),
                scope: scope(what),
                quantity: self::quantity(quantity),
                unit: self::unit(play, what, unit),
                occurred_at: at.map(|at| moment(play, at)),
                period_start: None,
                period_end: None,
                details: BTreeMap::new(),
            };
            (what, Command::Meter(meter))
        }
        Step::Consume {
            what,
            quantity,
            unit,
        } => {
            let consume = ops::consume::Consume {
                resource: resource(play, what),
                scope: scope(what),
                quantity: self::quantity(quantity),
                unit: self::unit(play, what, unit),
                context: context(what),
                details: BTreeMap::new(),
            };
            (what, Command::Consume(consume))
        }
        Step::SetInventory { what, quantity } => {
            let set = ops::inventory::SetInventory {
                resource: resource(play, what),
                scope: scope(what),
                quantity: self::quantity(quantity),
            };
            (what, Command::SetInventory(set))
        }
        _ => return None,
    };
    Some((target(&play.naive, what.who), command))
}

fn reservation(play: &Play, step: &Step) -> Option<(Target, Command)> {
    let held = |nth| pick(nth, play.naive.reservations.iter().map(|r| r.id));
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
                quantity: self::quantity(quantity),
                unit: self::unit(play, what, unit),
                context: context(what),
                ttl_seconds: ttl.min(30 * 86_400),
            };
            (target(&play.naive, what.who), Command::Reserve(reserve))
        }
        Step::Commit { nth, quantity } => {
            let commit = ops::reserve::Commit {
                reservation_id: held(nth)?,
                quantity: quantity.map(self::quantity),
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

fn lease(play: &Play, step: &Step) -> Option<(Target, Command)> {
    let held = |nth| pick(nth, play.naive.leases.iter().map(|l| l.id));
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
                target(&play.naive, what.who),
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

fn grant(play: &Play, step: &Step) -> Option<(Target, Command)> {
    Some(match *step {
        Step::Grant {
            what,
            quantity,
            window,
            priority,
            expires,
        } => {
            let grant = ops::grant::GrantCredit {
                resource: resource(play, what),
                scope: scope(what),
                quantity: self::quantity(quantity),
                window_type: window.map(|window| TYPES[window].into()),
                priority,
                expires_at: expires.map(|seconds| play.clock.saturating_add_secs(seconds)),
                reason: None,
            };
            (target(&play.naive, what.who), Command::GrantCredit(grant))
        }
        Step::Void { nth } => {
            let grant_id = pick(nth, play.naive.grants.iter().map(|g| g.id))?;
            let void = ops::grant::VoidGrant { grant_id };
            (Target::Grant(grant_id), Command::VoidGrant(void))
        }
        _ => return None,
    })
}

fn plan(play: &Play, step: &Step) -> Option<(Target, Command)> {
    let code = |plan: usize| Code::from(PLANS[plan]);
    let (who, command) = match *step {
        Step::Provision {
            who,
            plan,
            starts,
            seats,
        } => {
            let provision = ops::provision::Provision {
                plan_id: code(plan),
                start: starts.map(|at| moment(play, at)),
                quantity: seats,
            };
            (who, Command::ProvisionPlan(provision))
        }
        Step::ChangePlan {
            who,
            from,
            to,
            at,
            carry_over,
        } => {
            // Mostly from the plan that was taken last.
            let held = play.naive.subscriptions.last().map(|s| s.plan_id.clone());
            let change = ops::change_plan::ChangePlan {
                from_plan_id: held.filter(|_| from > 1).unwrap_or(code(from)),
                to_plan_id: code(to),
                effective_at: at.map(|at| moment(play, at)),
                carry_over,
            };
            (who, Command::ChangePlan(change))
        }
        Step::CancelPlan { who, plan, at } => {
            let cancel = ops::cancel_plan::CancelPlan {
                plan_id: code(plan),
                effective_at: at.map(|at| moment(play, at)),
            };
            (who, Command::CancelPlan(cancel))
        }
        _ => return None,
    };
    Some((target(&play.naive, who), command))
}

fn new_account(naive: &Naive, under: Option<usize>, kind: usize, zone: usize) -> (Target, Command) {
    let number = naive.accounts.len();
    let parent = under.and_then(|under| pick(under, naive.accounts.iter().map(|a| a.id)));
    let create = ops::account::CreateAccount {
        account_type: KINDS[kind].into(),
        parent,
        external_id: Some(format!("x{number}")),
        timezone: ZONES.get(zone).map(|zone| (*zone).to_owned()),
        ..organization(account_id(number))
    };
    let target = parent.map_or(Target::NewTree(create.account_id), Target::Account);
    (target, Command::CreateAccount(create))
}

fn organization(account_id: Uuid) -> ops::account::CreateAccount {
    ops::account::CreateAccount {
        account_id,
        account_type: KINDS[0].into(),
        parent: None,
        external_id: None,
        display_name: None,
        email: None,
        timezone: None,
        metadata: BTreeMap::new(),
        status: AccountStatus::Active,
    }
}

pub fn bystander(account_id: Uuid) -> Command {
    Command::CreateAccount(organization(account_id))
}

pub fn check_of_nothing() -> Command {
    Command::Check(ops::check::Check {
        resource: RESOURCES[0].into(),
        scope: None,
        quantity: Quantity::ZERO,
        unit: None,
        context: BTreeMap::new(),
        explain: false,
    })
}

/// All ids end alike, so that all accounts make room for each other in memory.
pub fn account_id(number: usize) -> Uuid {
    Uuid::from_u128((7 << 100) + ((number as u128) << 8))
}

fn entitle(play: &Play, what: What, row: Entitle) -> Command {
    let at = |when: Option<When>| when.map(|when| moment(play, when));
    let effective_start = at(row.starts);
    let begins = effective_start.unwrap_or(play.clock);
    let create = ops::entitlement::CreateEntitlement {
        resource: resource(play, what),
        scope: scope(what),
        limit_kind: kind(index(play, what.resource), row.kind),
        quantity_allowed: row.allowed.map(Quantity::from_int),
        unit: None,
        effective_start,
        effective_end: row.lasts.map(|seconds| begins.saturating_add_secs(seconds)),
        window_type: Some(TYPES[row.window].into()),
        window_anchor: at(row.anchor),
        usage_from: at(row.usage_from),
        priority: row.priority,
        status: if row.suspended {
            EntitlementStatus::Suspended
        } else {
            EntitlementStatus::Active
        },
        conditions: conditions(row.condition),
    };
    Command::CreateEntitlement(create)
}

/// An account by its id or its external id, or now and then one that does not exist.
fn target(naive: &Naive, who: usize) -> Target {
    let account = &naive.accounts[who % naive.accounts.len()];
    match (who, &account.external) {
        (23, _) => Target::Account(Uuid::from_u128(1)),
        (12.., Some(external)) => Target::External(external.clone()),
        _ => Target::Account(account.id),
    }
}

fn pick(nth: usize, mut ids: impl ExactSizeIterator<Item = Uuid>) -> Option<Uuid> {
    let count = ids.len().max(1);
    ids.nth(nth % count)
}

fn moment(play: &Play, when: When) -> Timestamp {
    let at = play.clock.saturating_add_secs(when.seconds);
    if when.whole { at.floor_minute() } else { at }
}

fn quantity(index: usize) -> Quantity {
    Quantity::from_micros(QUANTITIES[index].into())
}

/// The history's own resource, or another.
pub fn index(play: &Play, resource: usize) -> usize {
    resource.checked_sub(1).unwrap_or(play.focus)
}

pub fn resource(play: &Play, what: What) -> Code {
    RESOURCES[index(play, what.resource)].into()
}

pub fn scope(what: What) -> Option<Code> {
    [None, Some("a"), Some("b")][what.scope].map(Code::from)
}

fn unit(play: &Play, what: What, unit: usize) -> Option<Code> {
    [None, Some("minutes"), Some("gpu_hours")][if index(play, what.resource) == 1 {
        unit
    } else {
        unit / 2
    }]
    .map(Code::from)
}

fn context(what: What) -> BTreeMap<String, String> {
    let tier = ["", "1", "2", "x"][what.context];
    let told = [("tier", tier), ("mec.plan_id", "not from here")];
    told.into_iter()
        .filter(|_| what.context > 0)
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}
