//! How histories are drawn.

use proptest::collection::vec;
use proptest::option::{of as maybe, weighted};
use proptest::prelude::*;
use proptest::strategy::Union;

use super::history::{Entitle, History, RuleRow, Step, What, When};

pub fn history() -> impl Strategy<Value = History> {
    let focus = prop_oneof![4 => Just(0), 3 => Just(1), 1 => Just(2), 2 => Just(3), 1 => Just(4)];
    let moods = MOODS.map(|(often, mood)| {
        let steps = vec(anywhere(step(mood).boxed()), 0..60);
        (often, (vec(given(mood[6]), 0..10), steps).boxed())
    });
    let steps = Union::new_weighted(moods.to_vec());
    (0..8_usize, focus, steps).prop_map(|(start, focus, (given, steps))| History {
        start,
        focus,
        given,
        steps,
    })
}

/// What stands at the beginning; the more accounts, the more of them move.
fn given(moved: u32) -> impl Strategy<Value = Step> {
    let row = prop_oneof![
        2 + moved / 3 => account(if moved > 3 { 0.5 } else { 0.8 }),
        4 => entitle(),
        1 => rules(),
        1 => provision(),
    ];
    anywhere(row.boxed())
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

/// Below another so often.
fn account(below: f64) -> impl Strategy<Value = Step> {
    let row = (
        weighted(below, 0..8_usize),
        0..4_usize,
        0..5_usize,
        any::<bool>(),
    );
    row.prop_map(|(under, kind, zone, named)| Step::Account {
        under,
        kind,
        zone,
        named,
    })
}

/// Mostly below another account that is there, which may stand below it.
fn moving() -> impl Strategy<Value = Step> {
    let under = weighted(0.8, prop_oneof![12 => 0..8_usize, 2 => 8..10_usize]);
    (0..24_usize, under).prop_map(|(who, under)| Step::Move { who, under })
}

/// Now and then in the other namespace.
fn anywhere(step: BoxedStrategy<Step>) -> impl Strategy<Value = Step> {
    (step, prop::bool::weighted(0.12)).prop_map(|(step, elsewhere)| match step {
        step if elsewhere => Step::Elsewhere(Box::new(step)),
        step => step,
    })
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

/// How often each kind of step comes, in the order of [`step`].
type Mood = [u32; 18];

const MOODS: [(u32, Mood); 6] = [
    // A little of everything.
    (4, [4, 10, 2, 3, 2, 2, 2, 1, 5, 2, 20, 1, 8, 6, 5, 5, 4, 3]),
    // Grants, drawn from and given back.
    (2, [3, 8, 1, 1, 1, 1, 1, 1, 3, 1, 20, 1, 8, 1, 16, 1, 2, 3]),
    // Plans that come and go.
    (1, [2, 8, 1, 1, 1, 1, 1, 1, 2, 1, 16, 1, 3, 2, 3, 16, 2, 3]),
    // Grace and its clock.
    (1, [2, 14, 1, 1, 1, 1, 1, 1, 3, 6, 24, 1, 8, 8, 3, 1, 2, 3]),
    // Reservations and leases that end.
    (1, [4, 10, 1, 2, 2, 1, 2, 1, 3, 2, 6, 1, 20, 12, 6, 1, 2, 3]),
    // Accounts that move, with what they used and hold.
    (
        4,
        [5, 8, 1, 2, 2, 6, 16, 1, 6, 2, 24, 14, 10, 8, 8, 2, 3, 5],
    ),
];

fn step(often: Mood) -> impl Strategy<Value = Step> {
    let write = prop_oneof![
        1 => account(0.8),
        2 => entitle(),
        8 => writes(),
        4 => holds(),
        3 => leases(),
        3 => grants(),
        2 => plans(),
        3 => again(),
        2 => trees(),
    ];
    let [together, pass_by, minute, back, restart, rest @ ..] = often;
    let [
        an_account,
        moved,
        status,
        an_entitlement,
        some_rules,
        used,
        corrected,
        rest @ ..,
    ] = rest;
    let [held, leased, granted, planned, once_more, look] = rest;
    prop_oneof![
        together => vec(anywhere(write.boxed()), 2..7).prop_map(Step::Together),
        pass_by => pass(),
        minute => Just(Step::ToMinute),
        2 * minute + 2 => (0..4_usize, any::<bool>()).prop_map(|(nth, shy)| Step::ToEnd { nth, shy }),
        back => prop_oneof![1..90_i64, 3_600..90_000_i64].prop_map(Step::Back),
        restart => Just(Step::Restart),
        an_account => account(0.8),
        moved => trees(),
        status => (0..8_usize, 0..8_usize).prop_map(|(who, status)| Step::Status { who, status }),
        an_entitlement => entitle(),
        some_rules => rules(),
        used => usage(),
        corrected => corrections(),
        held => holds(),
        leased => leases(),
        granted => grants(),
        planned => plans(),
        once_more => again(),
        look => Just(Step::Look),
    ]
}

fn trees() -> impl Strategy<Value = Step> {
    let erase = (0..24_usize).prop_map(|who| Step::Erase { who });
    prop_oneof![5 => moving(), 1 => erase]
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
        3 => corrections(),
        1 => (what(), quantity()).prop_map(|(what, quantity)| Step::SetInventory { what, quantity }),
    ]
}

fn corrections() -> impl Strategy<Value = Step> {
    (0..60_usize, quantity()).prop_map(|(nth, quantity)| Step::Correct { nth, quantity })
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
        4 => (what(), quantity(), maybe(0..9_usize), -1..2_i32, maybe(prop_oneof![-5..4_000_i64, 1..100_i64, 1..4_000_000_i64]))
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
