//! From a document to lookups: every value checked, all faults told at once.

use std::collections::HashMap;

use mec_core::Code;
use mec_core::catalogue::{AccountType, Lookups, Unit};
use mec_core::lookups::{LookupFault, LookupKind, LookupRef, MAX_FACTOR, MAX_SCALE};
use mec_core::window::{MAX_COUNT, PeriodUnit, WindowMode, WindowType};
use rustc_hash::FxHashMap;

use super::rows::HEADINGS;
use crate::admin::document::node::Node;
use crate::admin::document::table::{Fault, Faults, Table, twice};

/// What a document says.
pub struct Read {
    pub lookups: Lookups,
    /// The version that it was made from, where it says so.
    pub version: Option<u64>,
    /// Where each row stands.
    places: HashMap<LookupRef, String>,
}

impl Read {
    /// The same faults with their places.
    pub fn located(&self, faults: Vec<LookupFault>) -> Vec<Fault> {
        let located = faults.into_iter().map(|fault| Fault {
            place: match (self.places.get(&fault.row), fault.column) {
                (Some(row), Some(column)) => format!("{row}.{column}"),
                (Some(row), None) => row.clone(),
                // A row that the document does not have is told at its table.
                (None, _) => heading(fault.row.kind).to_owned(),
            },
            sentence: fault.sentence,
        });
        located.collect()
    }
}

fn heading(kind: LookupKind) -> &'static str {
    let found = HEADINGS.into_iter().find(|(of, _)| *of == kind);
    found.map_or("", |(_, heading)| heading)
}

/// Reads a document, or tells all of its faults. Tables that it does not have stay as they were.
pub fn read(root: &Node<'_>, before: &Lookups) -> Result<Read, Vec<Fault>> {
    let faults = Faults::default();
    let read = document(root, before, &faults);
    match (read, faults.into_vec()) {
        (Some(read), faults) if faults.is_empty() => Ok(read),
        (_, faults) => Err(faults),
    }
}

fn document(root: &Node<'_>, before: &Lookups, faults: &Faults) -> Option<Read> {
    let mut table = Table::of(root, "set of lookups", faults)?;
    let version = table.whole("version", 0, i64::MAX);
    let mut places = HashMap::new();
    let units = rows(&mut table, LookupKind::Unit, &mut places, unit);
    let windows = rows(&mut table, LookupKind::WindowType, &mut places, window_type);
    let accounts = rows(
        &mut table,
        LookupKind::AccountType,
        &mut places,
        account_type,
    );
    for fixed in ["limit_kinds", "limit_actions"] {
        if let Some(node) = table.take(fixed) {
            faults.add(&node.place, format!("{fixed} are fixed and do not change"));
        }
    }
    table.finish();
    Some(Read {
        lookups: Lookups {
            version: before.version,
            units: by_code(units, &before.units, |unit| &unit.unit_code),
            window_types: by_code(windows, &before.window_types, |window| &window.code),
            account_types: by_code(accounts, &before.account_types, |account| {
                &account.account_type_code
            }),
        },
        version: version.and_then(|version| u64::try_from(version).ok()),
        places,
    })
}

/// The rows of a table, where the document has it.
fn rows<T>(
    table: &mut Table<'_>,
    kind: LookupKind,
    places: &mut HashMap<LookupRef, String>,
    read: fn(&mut Table<'_>) -> Option<(Code, T)>,
) -> Option<Vec<T>> {
    let (heading, faults) = (heading(kind), table.faults);
    table.take(heading)?;
    let nodes = table.tables(heading);
    let rows: Vec<(Code, T, &Node<'_>)> = nodes
        .iter()
        .filter_map(|node| {
            let mut table = Table::of(node, kind.as_str(), faults)?;
            let row = read(&mut table);
            table.finish();
            row.map(|(code, row)| (code, row, node))
        })
        .collect();
    let names = rows.iter().map(|(code, _, node)| (&**code, *node));
    twice(names, code_key(kind), faults);
    for (code, _, node) in &rows {
        places.insert(LookupRef::new(kind, code), node.place.clone());
    }
    Some(rows.into_iter().map(|(_, row, _)| row).collect())
}

/// The column that names a row.
fn code_key(kind: LookupKind) -> &'static str {
    match kind {
        LookupKind::Unit => "unit_code",
        LookupKind::WindowType => "window_type_code",
        LookupKind::AccountType => "account_type_code",
    }
}

fn by_code<T: Clone>(
    rows: Option<Vec<T>>,
    before: &FxHashMap<Code, T>,
    code: impl Fn(&T) -> &Code,
) -> FxHashMap<Code, T> {
    match rows {
        None => before.clone(),
        Some(rows) => rows
            .into_iter()
            .map(|row| (code(&row).clone(), row))
            .collect(),
    }
}

fn unit(table: &mut Table<'_>) -> Option<(Code, Unit)> {
    let code = table.required_code("unit_code");
    let category = table.required_code("unit_category");
    let description = table.text("description").unwrap_or_default();
    let scale = table.whole("scale", 0, i64::from(MAX_SCALE)).unwrap_or(0);
    let base = table.code("base_unit_code");
    let factor = table.whole("base_factor", 1, MAX_FACTOR);
    let has_other_base = base.is_some() && base != code;
    if has_other_base && !table.has("base_factor") {
        let sentence = "a unit with a base unit needs the key base_factor";
        table.faults.add(table.place_of("base_unit_code"), sentence);
    }
    let (code, category) = (code?, category?);
    let unit = Unit {
        unit_code: code.clone(),
        unit_category: category.to_string(),
        description,
        scale: u32::try_from(scale).unwrap_or(0),
        base_unit_code: base.unwrap_or_else(|| code.clone()),
        base_factor: factor.unwrap_or(1),
    };
    Some((code, unit))
}

fn window_type(table: &mut Table<'_>) -> Option<(Code, WindowType)> {
    let code = table.required_code("window_type_code");
    let description = table.text("description").unwrap_or_default();
    if !table.has("mode") {
        table.missing("mode");
    }
    let mode = table.one_of("mode", &WindowMode::ALL, WindowMode::as_str);
    let period_unit = table.one_of("period_unit", &PeriodUnit::ALL, PeriodUnit::as_str);
    let count = table
        .whole("period_count", 1, MAX_COUNT.into())
        .unwrap_or(1);
    let code = code?;
    let window = WindowType {
        code: code.clone(),
        description,
        mode: mode?,
        period_unit,
        period_count: u32::try_from(count).unwrap_or(1),
    };
    Some((code, window))
}

fn account_type(table: &mut Table<'_>) -> Option<(Code, AccountType)> {
    let code = table.required_code("account_type_code");
    let description = table.text("description").unwrap_or_default();
    let can_have_children = table.flag("can_have_children", false);
    let code = code?;
    let account = AccountType {
        account_type_code: code.clone(),
        description,
        can_have_children,
    };
    Some((code, account))
}
