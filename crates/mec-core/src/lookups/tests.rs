//! Lookups that contradict themselves, and what others would take from them.

use super::*;
use crate::seed;

fn changed(change: impl FnOnce(&mut Lookups)) -> Lookups {
    let mut lookups = seed::lookups();
    change(&mut lookups);
    lookups
}

fn unit(code: &str, category: &str, base: &str, factor: i64) -> (Code, Unit) {
    let unit = Unit {
        unit_code: code.into(),
        unit_category: category.into(),
        description: String::new(),
        scale: 0,
        base_unit_code: base.into(),
        base_factor: factor,
    };
    (unit.unit_code.clone(), unit)
}

fn window(
    code: &str,
    mode: WindowMode,
    period: Option<PeriodUnit>,
    count: u32,
) -> (Code, WindowType) {
    let window = WindowType {
        code: code.into(),
        description: String::new(),
        mode,
        period_unit: period,
        period_count: count,
    };
    (window.code.clone(), window)
}

#[track_caller]
fn faulty(change: impl FnOnce(&mut Lookups), expected: &[&str]) {
    let faults = changed(change).faults();
    let told: Vec<String> = faults.into_iter().map(told).collect();
    assert_eq!(told, expected);
}

fn told(fault: LookupFault) -> String {
    let column = fault.column.unwrap_or("-");
    format!("{} {column}: {}", fault.row, fault.sentence)
}

#[test]
fn the_seeds_are_without_fault() {
    faulty(|_| {}, &[]);
}

#[test]
fn units_count_in_one_base_unit_of_their_category() {
    let added = |rows: Vec<(Code, Unit)>| move |all: &mut Lookups| all.units.extend(rows);
    faulty(
        added(vec![
            unit("pages", "paper", "pages", 1),
            unit("books", "paper", "pages", 300),
        ]),
        &[],
    );
    faulty(
        added(vec![unit("books", "paper", "pages", 300)]),
        &["unit books base_unit_code: there is no unit pages"],
    );
    faulty(
        added(vec![unit("pages", "paper", "pages", 2)]),
        &["unit pages base_factor: the base_factor of a base unit is 1"],
    );
    faulty(
        added(vec![unit("weeks", "time", "days", 7)]),
        &["unit weeks base_unit_code: the unit days counts in minutes and is no base unit"],
    );
    faulty(
        added(vec![unit("weeks", "paper", "minutes", 10_080)]),
        &["unit weeks base_unit_code: the base unit minutes counts time, not paper"],
    );
    faulty(
        added(vec![unit("seconds", "time", "seconds", 1)]),
        &[
            "unit seconds base_unit_code: units that count time have the base units minutes and seconds: one is enough",
        ],
    );
    for factor in [0, -1, MAX_FACTOR + 1] {
        faulty(
            added(vec![unit("weeks", "time", "minutes", factor)]),
            &["unit weeks base_factor: base_factor is 1 to 1000000000000000"],
        );
    }
    let mut fine = unit("pages", "paper", "pages", 1);
    fine.1.scale = 7;
    faulty(added(vec![fine]), &["unit pages scale: scale is at most 6"]);
}

#[test]
fn window_types_have_periods_and_all_time_stays() {
    use PeriodUnit::{Day, Week, Year};
    use WindowMode::{Calendar, None as AllTime, Rolling};
    let added = |row: (Code, WindowType)| move |all: &mut Lookups| all.window_types.extend([row]);
    faulty(added(window("fortnight", Calendar, Some(Week), 2)), &[]);
    faulty(added(window("ever", AllTime, None, 1)), &[]);
    let cases = [
        (
            window("w", Calendar, None, 1),
            "window type w period_unit: a window type needs a period_unit",
        ),
        (
            window("w", Calendar, Some(Day), 0),
            "window type w period_count: period_count is 1 to 1000",
        ),
        (
            window("w", Rolling, Some(Year), 2),
            "window type w period_count: a rolling window is at most 366 days long",
        ),
        (
            window("w", AllTime, Some(Day), 1),
            "window type w mode: a window type with the mode none has no period",
        ),
        (
            window("none", Calendar, Some(Day), 1),
            "window type none mode: the window type none is all time: its mode is none",
        ),
    ];
    for (row, expected) in cases {
        faulty(added(row), &[expected]);
    }
    faulty(
        |all| all.window_types.clear(),
        &["window type none -: the window type none is that of limits without a window: keep it"],
    );
}

#[test]
fn only_what_goes_or_counts_anew_is_touched() {
    let before = seed::lookups();
    let after = changed(|all| {
        for unit in all.units.values_mut() {
            unit.description.push_str(" indeed");
        }
        all.units.extend([unit("pages", "paper", "pages", 1)]);
        all.units.remove("bytes");
        all.units.get_mut("days").unwrap().base_factor = 1_441;
        all.window_types.get_mut("rolling_7d").unwrap().period_unit = Some(PeriodUnit::Month);
        all.window_types.get_mut("rolling_7d").unwrap().period_count = 1;
        all.account_types.get_mut("user").unwrap().can_have_children = true;
    });
    let told: Vec<String> = before
        .losses(&before.touched(&after), &after)
        .into_iter()
        .map(told)
        .collect();
    let expected = [
        "unit bytes -: the unit bytes is in use: keep it",
        "unit days base_factor: the unit days is in use: base_factor stays 1440",
        "window type rolling_7d period_unit: the window type rolling_7d is in use: period_unit stays day",
        "window type rolling_7d period_count: the window type rolling_7d is in use: period_count stays 7",
        "account type user can_have_children: the account type user is in use: can_have_children stays false",
    ];
    assert_eq!(told, expected);
    assert_eq!(before.touched(&before), []);
}
