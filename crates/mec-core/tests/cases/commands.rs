//! The steps of a row as commands.

use mec_cases::{Names, Step};
use mec_core::account::AccountStatus;
use mec_core::entitlement::EntitlementStatus;
use mec_core::ledger::Details;
use mec_core::{Command, Quantity, Timestamp, ops};
use uuid::Uuid;

use super::catalogue::{conditions, kind, number, quantity};

/// What a command is about.
pub enum About {
    Account(Uuid),
    Lease(Uuid),
    Reservation(Uuid),
    Event(Uuid),
    Grant(Uuid),
}

fn id(names: &Names, name: &str) -> Uuid {
    let id = names
        .get(name)
        .unwrap_or_else(|| panic!("nothing is named {name}"));
    id.parse().unwrap()
}

fn time(step: &Step, option: &str) -> Option<Timestamp> {
    step.option(option)
        .map(|text| Timestamp::parse(text).unwrap())
}

fn amount(step: &Step) -> Quantity {
    quantity(step.word(0)).unwrap()
}

fn scope(step: &Step) -> Option<mec_core::Code> {
    step.option("scope").map(Into::into)
}

fn unit(step: &Step) -> Option<mec_core::Code> {
    step.option("unit").map(Into::into)
}

/// The command of a step, and what it is about.
pub fn command(step: &Step, names: &Names) -> (About, Command) {
    let named = || id(names, step.word(0));
    let account = match step.verb {
        "suspend" | "deactivate" | "resume" => step.word(0),
        _ => step.account(),
    };
    let command = match step.verb {
        "commit" | "release" => return reservation(step, named()),
        "heartbeat" | "return" => return lease(step, named()),
        "correct" => {
            let correct = ops::correct::Correct {
                event_id: named(),
                quantity: quantity(step.word(1)).unwrap(),
                reason: None,
            };
            return (About::Event(named()), Command::Correct(correct));
        }
        "void" => {
            let void = ops::grant::VoidGrant { grant_id: named() };
            return (About::Grant(named()), Command::VoidGrant(void));
        }
        "check" | "consume" | "meter" | "reserve" => usage(step),
        "lease" | "stock" | "grant" | "entitle" => holding(step),
        _ => of_account(step),
    };
    (About::Account(id(names, account)), command)
}

fn usage(step: &Step) -> Command {
    let resource = step.word(1).into();
    let context = step.context.iter().cloned().collect();
    match step.verb {
        "check" => Command::Check(ops::check::Check {
            resource,
            scope: scope(step),
            quantity: amount(step),
            unit: unit(step),
            context,
            explain: false,
        }),
        "consume" => Command::Consume(ops::consume::Consume {
            resource,
            scope: scope(step),
            quantity: amount(step),
            unit: unit(step),
            context,
            details: Details::new(),
        }),
        "reserve" => Command::Reserve(ops::reserve::Reserve {
            resource,
            scope: scope(step),
            quantity: amount(step),
            unit: unit(step),
            context,
            ttl_seconds: number(step, "seconds").unwrap_or(300),
        }),
        _ => Command::Meter(ops::meter::Meter {
            resource,
            scope: scope(step),
            quantity: amount(step),
            unit: unit(step),
            occurred_at: time(step, "occurred"),
            period_start: None,
            period_end: None,
            details: Details::new(),
        }),
    }
}

fn holding(step: &Step) -> Command {
    let resource = step.word(1).into();
    match step.verb {
        "lease" => Command::AcquireLease(ops::lease::Acquire {
            resource,
            scope: scope(step),
            session_token: step.option("session").map(str::to_owned),
            ttl_seconds: number(step, "seconds").unwrap_or(3600),
            slots: step.word(0).parse().unwrap(),
            session_metadata: None,
            context: step.context.iter().cloned().collect(),
        }),
        "stock" => Command::SetInventory(ops::inventory::SetInventory {
            resource,
            scope: scope(step),
            quantity: amount(step),
        }),
        "grant" => Command::GrantCredit(ops::grant::GrantCredit {
            grant_id: None,
            resource,
            scope: scope(step),
            quantity: amount(step),
            window_type: step.option("per").map(Into::into),
            priority: number(step, "priority").unwrap_or(0),
            expires_at: time(step, "until"),
            reason: None,
        }),
        _ => Command::CreateEntitlement(entitlement(step)),
    }
}

fn entitlement(step: &Step) -> ops::entitlement::CreateEntitlement {
    ops::entitlement::CreateEntitlement {
        entitlement_id: None,
        resource: step.word(2).into(),
        scope: scope(step),
        limit_kind: kind(step.word(0)),
        quantity_allowed: quantity(step.word(1)),
        unit: unit(step),
        effective_start: time(step, "from"),
        effective_end: time(step, "until"),
        window_type: step.option("per").map(Into::into),
        window_anchor: time(step, "anchor"),
        usage_from: time(step, "usage_from"),
        priority: number(step, "priority").unwrap_or(0),
        status: EntitlementStatus::parse(step.option("status").unwrap_or("active")).unwrap(),
        conditions: conditions(step),
    }
}

fn reservation(step: &Step, reservation_id: Uuid) -> (About, Command) {
    let command = match step.verb {
        "commit" => Command::CommitReservation(ops::reserve::Commit {
            reservation_id,
            quantity: step.option("quantity").and_then(quantity),
            details: Details::new(),
        }),
        _ => Command::ReleaseReservation(ops::reserve::Release { reservation_id }),
    };
    (About::Reservation(reservation_id), command)
}

fn lease(step: &Step, lease_id: Uuid) -> (About, Command) {
    let command = match step.verb {
        "heartbeat" => Command::HeartbeatLease(ops::lease::Heartbeat {
            lease_id,
            extend_seconds: number(step, "seconds"),
        }),
        _ => Command::ReleaseLease(ops::lease::Release { lease_id }),
    };
    (About::Lease(lease_id), command)
}

fn of_account(step: &Step) -> Command {
    let status = |status| Command::SetAccountStatus(ops::account::SetStatus { status });
    match step.verb {
        "suspend" => status(AccountStatus::Suspended),
        "deactivate" => status(AccountStatus::Inactive),
        "resume" => status(AccountStatus::Active),
        "provision" => Command::ProvisionPlan(ops::provision::Provision {
            plan_id: step.word(0).into(),
            start: time(step, "from"),
            quantity: number(step, "seats"),
        }),
        "change" => Command::ChangePlan(ops::change_plan::ChangePlan {
            from_plan_id: step.word(0).into(),
            to_plan_id: step.word(1).into(),
            effective_at: time(step, "at"),
            carry_over: !step.has("fresh"),
        }),
        "cancel" => Command::CancelPlan(ops::cancel_plan::CancelPlan {
            plan_id: step.word(0).into(),
            effective_at: time(step, "at"),
        }),
        verb => panic!("the verb {verb} has no command"),
    }
}
