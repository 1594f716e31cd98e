//! Lookups as rows, in the order in which they are shown.

use mec_core::catalogue::{AccountType, Lookups, Unit};
use mec_core::lookups::LookupKind;
use mec_core::window::{PeriodUnit, WindowMode, WindowType};

use crate::admin::document::rows::{Row, flag, maybe, quoted, text, write_rows};

/// The tables, by the kind of their rows.
pub const HEADINGS: [(LookupKind, &str); 3] = [
    (LookupKind::Unit, "units"),
    (LookupKind::WindowType, "window_types"),
    (LookupKind::AccountType, "account_types"),
];

/// The units: by what they count, the smallest first.
pub fn units(lookups: &Lookups) -> Vec<&Unit> {
    let mut units: Vec<&Unit> = lookups.units.values().collect();
    units.sort_by_key(|unit| (&unit.unit_category, unit.base_factor, &unit.unit_code));
    units
}

/// The window types, by name.
pub fn window_types(lookups: &Lookups) -> Vec<&WindowType> {
    let mut windows: Vec<&WindowType> = lookups.window_types.values().collect();
    windows.sort_by_key(|window| &window.code);
    windows
}

/// The account types, by name.
pub fn account_types(lookups: &Lookups) -> Vec<&AccountType> {
    let mut accounts: Vec<&AccountType> = lookups.account_types.values().collect();
    accounts.sort_by_key(|account| &account.account_type_code);
    accounts
}

/// The lookups as a file that `mec lookups apply` takes.
pub fn to_toml(lookups: &Lookups) -> String {
    let mut text = format!(
        "# Units, window types and account types, shared by all namespaces of this database.\n\
         # Applied while the version is another, the file is refused; without the line it always counts.\n\
         version = {}\n",
        lookups.version
    );
    write_rows(&mut text, &rows(lookups));
    text
}

/// All rows.
pub fn rows(lookups: &Lookups) -> Vec<Row> {
    let mut rows: Vec<Row> = units(lookups).into_iter().map(unit).collect();
    rows.extend(window_types(lookups).into_iter().map(window_type));
    rows.extend(account_types(lookups).into_iter().map(account_type));
    rows
}

fn unit(row: &Unit) -> Row {
    let is_base = row.base_unit_code == row.unit_code;
    Row {
        kind: LookupKind::Unit.as_str(),
        heading: "units",
        name: row.unit_code.to_string(),
        fields: vec![
            ("unit_code", quoted(&row.unit_code), false),
            ("unit_category", quoted(&row.unit_category), false),
            text("description", &row.description),
            ("scale", row.scale.to_string(), false),
            ("base_unit_code", quoted(&row.base_unit_code), is_base),
            ("base_factor", row.base_factor.to_string(), is_base),
        ],
    }
}

fn window_type(row: &WindowType) -> Row {
    let is_all_time = row.mode == WindowMode::None;
    let period_unit = row.period_unit.map(PeriodUnit::as_str);
    Row {
        kind: LookupKind::WindowType.as_str(),
        heading: "window_types",
        name: row.code.to_string(),
        fields: vec![
            ("window_type_code", quoted(&row.code), false),
            text("description", &row.description),
            ("mode", quoted(row.mode.as_str()), false),
            maybe("period_unit", period_unit.map(quoted)),
            ("period_count", row.period_count.to_string(), is_all_time),
        ],
    }
}

fn account_type(row: &AccountType) -> Row {
    Row {
        kind: LookupKind::AccountType.as_str(),
        heading: "account_types",
        name: row.account_type_code.to_string(),
        fields: vec![
            ("account_type_code", quoted(&row.account_type_code), false),
            text("description", &row.description),
            flag("can_have_children", row.can_have_children, false),
        ],
    }
}
