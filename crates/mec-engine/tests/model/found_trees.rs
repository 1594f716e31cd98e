//! Histories of accounts that move, and of two namespaces, each in its shortest form.

use super::found::{RUNS, SEATS, WHAT, WHOLE, found, grace, grant, limit, pass};
use super::history::{Entitle, Step, What};

/// An account below another, or an owner. The first account is there from the beginning.
fn account(under: Option<usize>) -> Step {
    Step::Account {
        under,
        kind: 1,
        zone: 4,
        named: false,
    }
}

/// Another owner, the account 1, and below the first account the account 2.
fn two_trees() -> [Step; 2] {
    [account(None), account(Some(0))]
}

/// `under` counts the accounts below which it can stand and does not yet.
fn move_to(who: usize, under: impl Into<Option<usize>>) -> Step {
    Step::Move {
        who,
        under: under.into(),
    }
}

fn of(who: usize) -> What {
    What { who, ..WHAT }
}

fn entitle(who: usize, row: Entitle) -> Step {
    Step::Entitle(of(who), row)
}

/// Quantities by their index: 0 is one, 1 is two, 2 is three, 4 is four.
fn meter(who: usize, quantity: usize) -> Step {
    Step::Meter {
        what: of(who),
        quantity,
        unit: 0,
        at: None,
    }
}

fn acquire(who: usize, slots: u32, ttl: i64) -> Step {
    Step::Acquire {
        what: of(who),
        slots,
        ttl,
        session: None,
    }
}

fn reserve(who: usize, quantity: usize) -> Step {
    Step::Reserve {
        what: of(who),
        quantity,
        unit: 0,
        ttl: 3_600,
    }
}

fn correct(quantity: usize) -> Step {
    Step::Correct { nth: 0, quantity }
}

fn correct_nth(nth: usize) -> Step {
    Step::Correct { nth, quantity: 4 }
}

fn played(focus: usize, steps: &[Step]) {
    found(WHOLE, focus, &[&two_trees()[..], steps].concat());
}

#[test]
fn an_account_moves_below_one_that_is_created_at_the_same_time() {
    let created_below = Step::Together(vec![
        account(None),
        Step::Move {
            who: 2,
            under: Some(9),
        },
    ]);
    played(RUNS, &[created_below, Step::Look]);
}

#[test]
fn a_correction_over_two_trees_raises_the_now_of_both() {
    let steps = [
        meter(2, 1),
        move_to(2, 0),
        pass(60),
        correct(0),
        Step::Back(30),
        Step::Restart,
        entitle(0, limit(4, "none")),
        entitle(1, limit(4, "none")),
    ];
    played(RUNS, &steps);
}

#[test]
fn a_correction_gives_back_to_the_grants_of_a_level_that_was_left() {
    let steps = [
        entitle(0, limit(1, "calendar_day")),
        grant(Some("calendar_day"), None),
        meter(2, 1),
        move_to(2, 0),
        correct(0),
        Step::Look,
        correct(1),
        Step::Look,
    ];
    played(RUNS, &steps);
}

#[test]
fn what_a_reservation_held_of_a_level_s_grants_it_holds_no_longer_when_it_comes_back() {
    let steps = [
        account(Some(0)),
        entitle(0, limit(0, "calendar_day")),
        grant(Some("calendar_day"), None),
        grant(Some("calendar_day"), None),
        reserve(2, 0),
        move_to(2, 0),
        move_to(2, 0),
        reserve(3, 0),
        // What is left is held by the second reservation now.
        meter(0, 0),
        Step::Commit {
            nth: 0,
            quantity: None,
        },
        Step::Look,
    ];
    played(RUNS, &steps);
}

#[test]
fn a_lease_that_moved_ends_by_the_time_of_the_tree_that_it_joined() {
    let steps = [
        entitle(0, limit(9, "none")),
        entitle(1, limit(9, "none")),
        acquire(2, 1, 60),
        move_to(2, 0),
        pass(61),
        acquire(0, 1, 600),
        Step::Back(30),
        Step::Restart,
        Step::Look,
        acquire(1, 9, 60),
    ];
    played(SEATS, &steps);
}

#[test]
fn what_a_refused_move_has_read_of_another_tree_still_holds_what_has_ended_here_only() {
    let user = Step::Account {
        under: Some(1),
        kind: 3,
        zone: 4,
        named: false,
    };
    let steps = [
        user,
        entitle(1, limit(1, "none")),
        entitle(0, limit(1, "none")),
        acquire(3, 1, 60),
        pass(61),
        acquire(0, 1, 600),
        Step::Restart,
        // The user can have no children: its tree is read, and stays as it is.
        Step::Move {
            who: 2,
            under: Some(10),
        },
        Step::Back(30),
        Step::Look,
        acquire(1, 1, 60),
    ];
    played(SEATS, &steps);
}

#[test]
fn slots_that_come_along_start_the_grace_clock_of_a_limit_that_they_pass() {
    let hour = 3_600;
    let steps = [
        entitle(0, limit(None, "none")),
        entitle(1, limit(2, "none")),
        grace(1),
        acquire(2, 3, 9 * hour),
        move_to(2, 0),
        Step::Look,
        pass(2 * hour),
        Step::Look,
        acquire(1, 1, hour),
        move_to(2, 0),
        acquire(1, 3, 9 * hour),
        pass(hour),
        Step::Restart,
        acquire(1, 1, hour),
    ];
    played(SEATS, &steps);
}

#[test]
fn nothing_of_another_namespace_is_found() {
    // By its index, each names what is there in the other namespace only.
    let foreign = [
        correct_nth(12),
        Step::Commit {
            nth: 12,
            quantity: None,
        },
        Step::Release { nth: 12 },
        Step::Void { nth: 12 },
        Step::Heartbeat {
            nth: 12,
            extend: None,
        },
        Step::GiveBack { nth: 12 },
    ];
    let elsewhere = |step: &Step| Step::Elsewhere(Box::new(step.clone()));
    let made = [
        entitle(0, limit(9, "none")),
        grant(None, None),
        meter(0, 1),
        reserve(0, 1),
    ];
    let lease = [entitle(0, limit(9, "none")), acquire(0, 1, 600)];
    for (focus, made) in [(RUNS, &made[..]), (SEATS, &lease[..])] {
        let asked = foreign.iter().map(elsewhere);
        let steps = made.iter().cloned().chain(asked).chain([Step::Look]);
        played(focus, &steps.collect::<Vec<_>>());
    }
}
