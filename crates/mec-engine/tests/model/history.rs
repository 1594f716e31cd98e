//! Histories: what is done, in steps that mean something whatever came before, so that any step can
//! be left out of a counterexample.

use proptest::collection::vec;
use proptest::option::{of as maybe, weighted};
use proptest::prelude::*;

/// A whole history. `start` names its first moment, `focus` the resource that it is mostly about.
#[derive(Clone, Debug)]
pub struct History {
    pub start: usize,
    pub focus: usize,
    pub given: Vec<Step>,
    pub steps: Vec<Step>,
}

/// What is asked for: a resource, a scope and a context, each by its index. The resource 0 is the
/// history's own, so that its steps meet each other.
#[derive(Clone, Copy, Debug)]
pub struct What {
    pub who: usize,
    pub resource: usize,
    pub scope: usize,
    pub context: usize,
}

/// A moment, in seconds from the clock's, on a whole minute or not.
#[derive(Clone, Copy, Debug)]
pub struct When {
    pub seconds: i64,
    pub whole: bool,
}

#[derive(Clone, Copy, Debug)]
pub struct Entitle {
    pub kind: usize,
    pub allowed: Option<i64>,
    pub window: usize,
    pub starts: Option<When>,
    pub lasts: Option<i64>,
    pub anchor: Option<When>,
    pub usage_from: Option<When>,
    pub priority: i32,
    pub suspended: bool,
    pub condition: usize,
}

#[derive(Clone, Copy, Debug)]
pub struct RuleRow {
    pub resource: usize,
    pub scope: usize,
    pub kind: usize,
    pub action: usize,
    pub warn_at: Option<i64>,
    pub grace: Option<i64>,
    pub hours: Option<u32>,
    pub priority: i32,
    pub condition: usize,
}

#[derive(Clone, Debug)]
pub enum Step {
    /// The clock goes on by so many seconds; by a microsecond less where it is `shy`.
    Pass {
        seconds: i64,
        shy: bool,
    },
    /// The clock goes on to the next whole minute.
    ToMinute,
    /// The clock is set back by so many seconds.
    Back(i64),
    Restart,
    Account {
        under: Option<usize>,
        kind: usize,
        zone: usize,
    },
    Status {
        who: usize,
        status: usize,
    },
    Entitle(What, Entitle),
    Rules(Vec<RuleRow>),
    Check {
        what: What,
        quantity: usize,
        unit: usize,
        explain: bool,
    },
    Meter {
        what: What,
        quantity: usize,
        unit: usize,
        at: Option<When>,
    },
    Consume {
        what: What,
        quantity: usize,
        unit: usize,
    },
    Reserve {
        what: What,
        quantity: usize,
        unit: usize,
        ttl: i64,
    },
    Commit {
        nth: usize,
        quantity: Option<usize>,
    },
    Release {
        nth: usize,
    },
    Correct {
        nth: usize,
        quantity: usize,
    },
    SetInventory {
        what: What,
        quantity: usize,
    },
    Grant {
        what: What,
        quantity: usize,
        window: Option<usize>,
        priority: i32,
        expires: Option<i64>,
    },
    Void {
        nth: usize,
    },
    Acquire {
        what: What,
        slots: u32,
        ttl: i64,
        session: Option<usize>,
    },
    Heartbeat {
        nth: usize,
        extend: Option<i64>,
    },
    GiveBack {
        nth: usize,
    },
    Provision {
        who: usize,
        plan: usize,
        starts: Option<When>,
        seats: Option<u32>,
    },
    ChangePlan {
        who: usize,
        from: usize,
        to: usize,
        at: Option<When>,
        carry_over: bool,
    },
    CancelPlan {
        who: usize,
        plan: usize,
        at: Option<When>,
    },
    /// An earlier call with its key again; `other` makes it another call.
    Again {
        nth: usize,
        other: bool,
    },
    /// Writes that come at once and are committed together.
    Together(Vec<Step>),
    /// Every account and resource is checked, and what was used is asked for.
    Look,
}

pub fn history() -> impl Strategy<Value = History> {
    let given = prop_oneof![2 => account(), 4 => entitle(), 1 => rules(), 1 => provision()];
    let focus = prop_oneof![4 => Just(0), 3 => Just(1), 1 => Just(2), 2 => Just(3), 1 => Just(4)];
    let steps = (vec(given, 0..10), vec(step(), 0..60));
    (0..8_usize, focus, steps).prop_map(|(start, focus, (given, steps))| History {
        start,
        focus,
        given,
        steps,
    })
}

fn what() -> impl Strategy<Value = What> {
    let resource = prop_oneof![12 => Just(0), 1 => 1..8_usize];
    let scope = prop_oneof![3 => Just(0), 2 => 1..3_usize];
    let context = prop_oneof![3 => Just(0), 1 => 1..4_usize];
    (0..24_usize, resource, scope, context).prop_map(|(who, resource, scope, context)| What {
        who,
        resource,
        scope,
        context,
    })
}

/// Mostly such that any resource can be counted by.
fn quantity() -> impl Strategy<Value = usize> {
    prop_oneof![9 => 0..8_usize, 1 => 8..12_usize]
}

fn when() -> impl Strategy<Value = When> {
    let seconds = prop_oneof![
        Just(0),
        -90..90_i64,
        -300..301_i64,
        -7_200..7_200_i64,
        (-40..40_i64).prop_map(|days| days * 86_400),
        (-40..4_i64).prop_map(|hours| hours * 3_600),
    ];
    (seconds, any::<bool>()).prop_map(|(seconds, whole)| When { seconds, whole })
}

fn account() -> impl Strategy<Value = Step> {
    (weighted(0.8, 0..8_usize), 0..4_usize, 0..5_usize)
        .prop_map(|(under, kind, zone)| Step::Account { under, kind, zone })
}

fn entitle() -> impl Strategy<Value = Step> {
    let row = (
        prop_oneof![6 => Just(0), 1 => 1..4_usize],
        weighted(0.9, prop_oneof![0..4_i64, 3..13_i64, 20..40_i64]),
        0..9_usize,
        weighted(0.2, when()),
        weighted(
            0.2,
            prop_oneof![Just(60), 600..90_000_i64, Just(40 * 86_400)],
        ),
        weighted(0.2, when()),
        weighted(0.2, when()),
        prop_oneof![4 => Just(0), 1 => -1..2_i32],
        prop::bool::weighted(0.05),
        prop_oneof![5 => Just(0), 1 => 1..8_usize],
    );
    let row = row.prop_map(
        |(
            kind,
            allowed,
            window,
            starts,
            lasts,
            anchor,
            usage_from,
            priority,
            suspended,
            condition,
        )| {
            Entitle {
                kind,
                allowed,
                window,
                starts,
                lasts,
                anchor,
                usage_from,
                priority,
                suspended,
                condition,
            }
        },
    );
    (what(), row).prop_map(|(what, row)| Step::Entitle(what, row))
}

fn rules() -> impl Strategy<Value = Step> {
    let row = (
        prop_oneof![8 => Just(0), 1 => 1..6_usize],
        prop_oneof![3 => Just(0), 1 => 1..3_usize],
        prop_oneof![4 => Just(0), 1 => 1..4_usize],
        prop_oneof![1 => Just(0), 1 => Just(1), 3 => Just(2), 1 => Just(3)],
        maybe(prop_oneof![0..120_i64, Just(50)]),
        weighted(0.8, 0..9_i64),
        weighted(0.6, 0..30_u32),
        -1..2_i32,
        prop_oneof![5 => Just(0), 1 => 1..8_usize],
    );
    let row = row.prop_map(
        |(resource, scope, kind, action, warn_at, grace, hours, priority, condition)| RuleRow {
            resource,
            scope,
            kind,
            action,
            warn_at,
            grace,
            hours,
            priority,
            condition,
        },
    );
    vec(row, 0..4).prop_map(Step::Rules)
}

fn provision() -> impl Strategy<Value = Step> {
    (
        0..8_usize,
        0..5_usize,
        weighted(0.2, when()),
        weighted(0.3, 0..4_u32),
    )
        .prop_map(|(who, plan, starts, seats)| Step::Provision {
            who,
            plan,
            starts,
            seats,
        })
}

fn pass() -> impl Strategy<Value = Step> {
    let seconds = prop_oneof![
        4 => 0..70_i64,
        3 => 60..5_400_i64,
        2 => (1..50_i64).prop_map(|hours| hours * 3_600),
        2 => (1..32_i64).prop_map(|days| days * 86_400),
        1 => (1..400_i64).prop_map(|days| days * 86_400 + 1_800),
    ];
    (seconds, prop::bool::weighted(0.2)).prop_map(|(seconds, shy)| Step::Pass { seconds, shy })
}

fn step() -> impl Strategy<Value = Step> {
    let write = prop_oneof![
        1 => account(),
        2 => entitle(),
        8 => writes(),
        4 => holds(),
        3 => leases(),
        3 => grants(),
        2 => plans(),
        3 => again(),
    ];
    prop_oneof![
        4 => vec(write, 2..7).prop_map(Step::Together),
        10 => pass(),
        2 => Just(Step::ToMinute),
        3 => prop_oneof![1..90_i64, 3_600..90_000_i64].prop_map(Step::Back),
        2 => Just(Step::Restart),
        2 => account(),
        1 => (0..8_usize, 0..8_usize).prop_map(|(who, status)| Step::Status { who, status }),
        5 => entitle(),
        2 => rules(),
        20 => usage(),
        8 => holds(),
        6 => leases(),
        5 => grants(),
        5 => plans(),
        4 => again(),
        3 => Just(Step::Look),
    ]
}

fn again() -> impl Strategy<Value = Step> {
    let other = prop::bool::weighted(0.2);
    (0..40_usize, other).prop_map(|(nth, other)| Step::Again { nth, other })
}

fn usage() -> impl Strategy<Value = Step> {
    let asked = (what(), quantity(), 0..3_usize, any::<bool>());
    let check = asked.prop_map(|(what, quantity, unit, explain)| Step::Check {
        what,
        quantity,
        unit: unit.saturating_sub(1),
        explain,
    });
    prop_oneof![3 => check, 18 => writes()]
}

fn writes() -> impl Strategy<Value = Step> {
    let unit = || prop_oneof![4 => Just(0), 1 => 1..3_usize];
    let asked = || (what(), quantity(), unit());
    prop_oneof![
        6 => (asked(), weighted(0.5, when())).prop_map(|((what, quantity, unit), at)| {
            Step::Meter { what, quantity, unit, at }
        }),
        8 => asked().prop_map(|(what, quantity, unit)| Step::Consume { what, quantity, unit }),
        3 => (0..40_usize, quantity()).prop_map(|(nth, quantity)| Step::Correct { nth, quantity }),
        1 => (what(), quantity()).prop_map(|(what, quantity)| Step::SetInventory { what, quantity }),
    ]
}

fn ttl() -> impl Strategy<Value = i64> {
    prop_oneof![0..120_i64, 60..90_000_i64, Just(40 * 86_400)]
}

fn holds() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (what(), quantity(), ttl()).prop_map(|(what, quantity, ttl)| {
            Step::Reserve { what, quantity, unit: 0, ttl }
        }),
        3 => (0..20_usize, maybe(quantity())).prop_map(|(nth, quantity)| Step::Commit { nth, quantity }),
        1 => (0..20_usize).prop_map(|nth| Step::Release { nth }),
    ]
}

fn leases() -> impl Strategy<Value = Step> {
    let what = || {
        (what(), prop::bool::weighted(0.9)).prop_map(|(what, fits)| What {
            resource: if fits { 3 } else { what.resource },
            ..what
        })
    };
    let entitle = (entitle(), what()).prop_map(|(step, what)| match step {
        Step::Entitle(_, row) => Step::Entitle(what, row),
        other => other,
    });
    prop_oneof![
        4 => (what(), 0..4_u32, ttl(), maybe(0..3_usize)).prop_map(|(what, slots, ttl, session)| {
            Step::Acquire { what, slots, ttl, session }
        }),
        1 => (0..20_usize, maybe(ttl())).prop_map(|(nth, extend)| Step::Heartbeat { nth, extend }),
        1 => (0..20_usize).prop_map(|nth| Step::GiveBack { nth }),
        1 => entitle,
    ]
}

fn grants() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (what(), quantity(), maybe(0..9_usize), -1..2_i32, maybe(prop_oneof![-5..4_000_i64, 1..4_000_000_i64]))
            .prop_map(|(what, quantity, window, priority, expires)| {
                Step::Grant { what, quantity, window, priority, expires }
            }),
        1 => (0..20_usize).prop_map(|nth| Step::Void { nth }),
    ]
}

fn plans() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => provision(),
        2 => (0..8_usize, 0..5_usize, 0..5_usize, maybe(when()), any::<bool>())
            .prop_map(|(who, from, to, at, carry_over)| {
                Step::ChangePlan { who, from, to, at, carry_over }
            }),
        1 => (0..8_usize, 0..5_usize, maybe(when()))
            .prop_map(|(who, plan, at)| Step::CancelPlan { who, plan, at }),
    ]
}
