//! What a step of a history means where it stands: the command and whom it is about.

use std::collections::BTreeMap;

use mec_core::{Code, Command, Quantity, Timestamp, ops};
use mec_engine::Target;
use uuid::Uuid;

use super::accounts;
use super::held;
use super::history::{Step, What, When};
use super::naive::Naive;
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
            | Command::MoveAccount(_)
    )
}

/// The command of a step and whom it is about; none for a step about something that is not there yet.
pub fn command(play: &Play, step: &Step) -> Option<(Target, Command)> {
    Some(match *step {
        Step::Correct { nth, quantity } => {
            let event_id = named(play, nth, |naive| match naive.events_apart() {
                apart if nth >= 20 && !apart.is_empty() => apart,
                _ => ids(&naive.events, |event| event.id),
            })?;
            let correct = ops::correct::Correct {
                event_id,
                quantity: self::quantity(quantity),
                reason: None,
            };
            (Target::Event(event_id), Command::Correct(correct))
        }
        Step::Account { .. } | Step::Move { .. } | Step::Erase { .. } => {
            return accounts::command(play, step);
        }
        Step::Status { .. } | Step::Entitle(..) => return accounts::command(play, step),
        Step::Grant { .. } | Step::Void { .. } => return grant(play, step),
        Step::Reserve { .. } | Step::Commit { .. } | Step::Release { .. } => {
            return held::reservation(play, step);
        }
        Step::Acquire { .. } | Step::Heartbeat { .. } | Step::GiveBack { .. } => {
            return held::lease(play, step);
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
    (target(&play.here.naive, 0), Command::Meter(meter))
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
                details: context(what),
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
                details: context(what),
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
    Some((target(&play.here.naive, what.who), command))
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
                grant_id: None,
                resource: resource(play, what),
                scope: scope(what),
                quantity: self::quantity(quantity),
                window_type: window.map(|window| TYPES[window].into()),
                priority,
                expires_at: expires.map(|seconds| play.clock.saturating_add_secs(seconds)),
                reason: None,
            };
            (
                target(&play.here.naive, what.who),
                Command::GrantCredit(grant),
            )
        }
        Step::Void { nth } => {
            let grant_id = named(play, nth, |naive| ids(&naive.grants, |grant| grant.id))?;
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
            let held = play
                .here
                .naive
                .subscriptions
                .last()
                .map(|s| s.plan_id.clone());
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
    Some((target(&play.here.naive, who), command))
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

/// An account by its id or its external id, or now and then one that does not exist; the next to
/// be created may be there in the other namespace.
pub fn target(naive: &Naive, who: usize) -> Target {
    let count = naive.accounts.len();
    let account = &naive.accounts[who % count];
    match (who, &account.external) {
        (23, _) => Target::Account(Uuid::from_u128(1)),
        (22, _) => Target::Account(accounts::account_id(count)),
        (21, _) => Target::External(accounts::external_id(naive, count)),
        (12.., Some(external)) => Target::External(external.clone()),
        _ => Target::Account(account.id),
    }
}

/// The id of something that was made here, or now and then in the other namespace.
pub fn named(play: &Play, nth: usize, ids: impl Fn(&Naive) -> Vec<Uuid>) -> Option<Uuid> {
    let foreign = ids(&play.elsewhere.naive);
    match nth % 13 {
        12 if !foreign.is_empty() => Some(foreign[nth % foreign.len()]),
        _ => pick(nth, &ids(&play.here.naive)),
    }
}

pub fn ids<T>(of: &[T], id: impl Fn(&T) -> Uuid) -> Vec<Uuid> {
    of.iter().map(id).collect()
}

pub fn pick(nth: usize, ids: &[Uuid]) -> Option<Uuid> {
    ids.get(nth % ids.len().max(1)).copied()
}

pub fn moment(play: &Play, when: When) -> Timestamp {
    let at = play.clock.saturating_add_secs(when.seconds);
    if when.whole { at.floor_minute() } else { at }
}

pub fn quantity(index: usize) -> Quantity {
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

pub fn unit(play: &Play, what: What, unit: usize) -> Option<Code> {
    [None, Some("minutes"), Some("gpu_hours")][if index(play, what.resource) == 1 {
        unit
    } else {
        unit / 2
    }]
    .map(Code::from)
}

pub fn context(what: What) -> BTreeMap<String, String> {
    let tier = ["", "1", "2", "x"][what.context];
    let told = [("tier", tier), ("mec.plan_id", "not from here")];
    told.into_iter()
        .filter(|_| what.context > 0)
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}
