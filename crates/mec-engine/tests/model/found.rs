//! Histories that once showed a fault, each in its shortest form, and some that chance seldom meets.

use super::history::{Entitle, History, RuleRow, Step, What, When};
use super::play::play;
use super::windows::TYPES;
use super::world::{Kept, Setting};

pub const WHAT: What = What {
    who: 0,
    resource: 0,
    scope: 0,
    context: 0,
};
pub const NOW: When = When {
    seconds: 0,
    whole: false,
};
pub const RUNS: usize = 0;
pub const SEATS: usize = 2;
/// First moments: on a whole minute, and within one.
pub const WHOLE: usize = 0;
pub const WITHIN: usize = 1;

/// Plays a history about a resource in every setting.
pub fn found(start: usize, focus: usize, steps: &[Step]) {
    let history = History {
        start,
        focus,
        given: Vec::new(),
        steps: steps.to_vec(),
    };
    for (kept, crowded) in [
        (Kept::Memory, false),
        (Kept::Folder, false),
        (Kept::Memory, true),
    ] {
        let setting = Setting { kept, crowded };
        play(&history, setting).unwrap_or_else(|why| panic!("{setting:?}: {why}"));
    }
}

pub fn limit(allowed: impl Into<Option<i64>>, window: &str) -> Entitle {
    Entitle {
        kind: 0,
        allowed: allowed.into(),
        window: of(window),
        starts: None,
        lasts: None,
        anchor: None,
        usage_from: None,
        priority: 0,
        suspended: false,
        condition: 0,
    }
}

pub fn of(window: &str) -> usize {
    TYPES.iter().position(|of| *of == window).unwrap()
}

fn entitle(row: Entitle) -> Step {
    Step::Entitle(WHAT, row)
}

/// Quantities by their index: 0 is one, 1 is two, 4 is four.
pub fn meter(quantity: usize) -> Step {
    Step::Meter {
        what: WHAT,
        quantity,
        unit: 0,
        at: None,
    }
}

pub fn pass(seconds: i64) -> Step {
    Step::Pass {
        seconds,
        shy: false,
    }
}

pub fn grant(window: Option<&str>, expires: Option<i64>) -> Step {
    Step::Grant {
        what: WHAT,
        quantity: 0,
        window: window.map(of),
        priority: 0,
        expires,
    }
}

pub fn acquire(slots: u32, ttl: i64) -> Step {
    Step::Acquire {
        what: WHAT,
        slots,
        ttl,
        session: None,
    }
}

pub fn grace(hours: u32) -> Step {
    Step::Rules(vec![RuleRow {
        resource: 0,
        scope: 0,
        kind: 0,
        action: 2,
        warn_at: None,
        grace: None,
        hours: Some(hours),
        priority: 0,
        condition: 0,
    }])
}

#[test]
fn a_grant_with_a_named_window_counts_at_once() {
    found(WHOLE, RUNS, &[grant(Some("calendar_hour"), None)]);
}

#[test]
fn access_for_a_time_has_no_quantity() {
    let access = Entitle {
        kind: 1,
        ..limit(0, "none")
    };
    found(WHOLE, RUNS, &[entitle(access), entitle(limit(4, "none"))]);
}

#[test]
fn a_clock_that_steps_back_reopens_nothing_after_a_restart() {
    let limit = entitle(limit(4, "calendar_hour"));
    let steps = [limit, Step::Back(1), Step::Restart, Step::Look];
    found(WHOLE, RUNS, &steps);
}

#[test]
fn a_lease_that_a_clock_set_back_makes_live_again_is_counted() {
    let held = [entitle(limit(2, "none")), acquire(2, 60)];
    let late = [pass(61), Step::Look, Step::Back(30), acquire(1, 60)];
    found(WHOLE, SEATS, &[&held[..], &late[..]].concat());
    found(
        WHOLE,
        SEATS,
        &[&held[..], &[Step::Restart], &late[..]].concat(),
    );
}

#[test]
fn a_grace_clock_stops_when_the_slots_have_ended() {
    let steps = [
        entitle(limit(2, "none")),
        grace(0),
        acquire(3, 1),
        pass(1),
        acquire(3, 1),
    ];
    found(WHOLE, SEATS, &steps);
}

#[test]
fn a_grace_clock_stops_when_usage_has_left_a_rolling_window() {
    let steps = [
        entitle(limit(2, "rolling_24h")),
        grace(1),
        meter(4),
        pass(2 * 86_400),
        Step::Look,
        meter(4),
    ];
    found(WHOLE, RUNS, &steps);
}

#[test]
fn the_longest_window_is_told_without_regard_to_restarts() {
    let limits = [
        entitle(limit(5, "billing_cycle")),
        entitle(limit(None, "calendar_month")),
    ];
    found(WHOLE, RUNS, &[&limits[..], &[grant(None, None)]].concat());
    found(
        WHOLE,
        RUNS,
        &[&limits[..], &[Step::Restart, grant(None, None)]].concat(),
    );
}

#[test]
fn what_occurred_before_a_grant_s_end_draws_from_it_after_a_restart() {
    let late = Step::Meter {
        what: WHAT,
        quantity: 4,
        unit: 0,
        at: Some(When {
            seconds: -30,
            whole: false,
        }),
    };
    let steps = [
        entitle(limit(2, "calendar_day")),
        grant(None, Some(10)),
        pass(31),
        Step::Restart,
        late,
    ];
    found(WHOLE, RUNS, &steps);
}

#[test]
fn what_is_not_counted_does_not_free_a_rolling_window() {
    let anew = Entitle {
        usage_from: Some(NOW),
        ..limit(2, "rolling_24h")
    };
    let steps = [meter(1), entitle(anew), pass(30), meter(1)];
    found(WITHIN, RUNS, &steps);
    found(
        WITHIN,
        RUNS,
        &[&steps[..1], &[Step::Restart], &steps[1..]].concat(),
    );
}

#[test]
fn a_correction_counts_where_its_event_counts() {
    let anew = Entitle {
        usage_from: Some(NOW),
        ..limit(None, "calendar_day")
    };
    let correct = Step::Correct {
        nth: 0,
        quantity: 4,
    };
    let limits = [entitle(limit(4, "calendar_hour")), entitle(anew)];
    let earlier = [meter(1), limits[0].clone(), limits[1].clone(), correct];
    found(WITHIN, RUNS, &earlier);
    let later = [
        &limits[..],
        &[pass(1), earlier[0].clone(), earlier[3].clone()],
    ]
    .concat();
    found(WITHIN, RUNS, &later);
}

#[test]
fn a_correction_counts_where_its_event_counts_when_the_plan_has_changed_since() {
    let change = |to, carry_over| Step::ChangePlan {
        who: 0,
        from: 2,
        to,
        at: None,
        carry_over,
    };
    let provision = Step::Provision {
        who: 0,
        plan: 0,
        starts: None,
        seats: None,
    };
    let correct = Step::Correct {
        nth: 0,
        quantity: 1,
    };
    let steps = [
        provision,
        change(1, false),
        pass(1),
        meter(4),
        pass(1),
        change(0, true),
    ];
    found(
        WITHIN,
        RUNS,
        &[&steps[..], std::slice::from_ref(&correct)].concat(),
    );
    found(
        WITHIN,
        RUNS,
        &[&steps[..], &[Step::Restart, correct]].concat(),
    );
}

#[test]
fn a_correction_gives_back_to_the_grant_that_was_drawn_last() {
    let correct = Step::Correct {
        nth: 0,
        quantity: 0,
    };
    let steps = [
        entitle(limit(0, "calendar_day")),
        grant(Some("calendar_day"), None),
        pass(1),
        grant(Some("calendar_day"), None),
        meter(1),
        correct,
    ];
    found(WHOLE, RUNS, &steps);
}

#[test]
fn a_plan_changed_to_does_not_end_when_the_old_one_was_to() {
    let provision = |plan| Step::Provision {
        who: 0,
        plan,
        starts: None,
        seats: None,
    };
    let cancel = Step::CancelPlan {
        who: 0,
        plan: 3,
        at: Some(When {
            seconds: 1,
            whole: false,
        }),
    };
    let change = Step::ChangePlan {
        who: 0,
        from: 2,
        to: 0,
        at: None,
        carry_over: false,
    };
    found(
        WHOLE,
        RUNS,
        &[provision(3), cancel, change, pass(1), provision(0)],
    );
}
