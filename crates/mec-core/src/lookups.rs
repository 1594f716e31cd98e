//! The rows that all namespaces share: what they may say, and what may become of those in use.

use std::collections::BTreeMap;
use std::fmt;

use crate::catalogue::{AccountType, Lookups, Unit};
use crate::ids::Code;
use crate::window::{PeriodUnit, WindowMode, WindowType};

/// The most decimal places that a unit allows: those of a quantity.
pub const MAX_SCALE: u32 = 6;
/// The most base units that one of a unit is.
pub const MAX_FACTOR: i64 = 1_000_000_000_000_000;
/// The window type of what has no window, which is always there.
pub const ALL_TIME: &str = "none";

/// What kind of row.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum LookupKind {
    /// A row of `units`.
    Unit,
    /// A row of `window_types`.
    WindowType,
    /// A row of `account_types`.
    AccountType,
}

impl LookupKind {
    /// The kind as people call it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unit => "unit",
            Self::WindowType => "window type",
            Self::AccountType => "account type",
        }
    }
}

/// A row by its name.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct LookupRef {
    /// What kind of row.
    pub kind: LookupKind,
    /// Its name.
    pub code: Code,
}

impl LookupRef {
    /// A row by its name.
    pub fn new(kind: LookupKind, code: &Code) -> Self {
        let code = code.clone();
        Self { kind, code }
    }
}

impl fmt::Display for LookupRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.as_str(), self.code)
    }
}

/// Why a row may not be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LookupFault {
    /// Which row.
    pub row: LookupRef,
    /// In which column; none where it is about the row as a whole.
    pub column: Option<&'static str>,
    /// Why, for people.
    pub sentence: String,
}

/// What a row says beside its name and description: what counting is built on.
type Meaning = Vec<(&'static str, String)>;

/// A column, and what is wrong in it.
type Wrong = (&'static str, String);

impl Lookups {
    /// What contradicts itself, by kind and name.
    pub fn faults(&self) -> Vec<LookupFault> {
        let mut faults = Vec::new();
        let units: BTreeMap<&Code, &Unit> = self.units.iter().collect();
        let mut bases: BTreeMap<&str, &Code> = BTreeMap::new();
        for (code, unit) in units {
            let base_unit = &unit.base_unit_code;
            let first = *bases.entry(&unit.unit_category).or_insert(base_unit);
            let told = unit_fault(unit, self.units.get(base_unit)).or_else(|| {
                let sentence = format!(
                    "units that count {} have the base units {first} and {base_unit}: one is enough",
                    unit.unit_category
                );
                (first != base_unit).then_some(("base_unit_code", sentence))
            });
            faults.extend(told.map(|wrong| fault(LookupKind::Unit, code, wrong)));
        }
        let windows: BTreeMap<&Code, &WindowType> = self.window_types.iter().collect();
        for (code, window) in windows {
            let told = window_fault(window);
            faults.extend(told.map(|wrong| fault(LookupKind::WindowType, code, wrong)));
        }
        if !self.window_types.contains_key(ALL_TIME) {
            faults.push(LookupFault {
                row: LookupRef::new(LookupKind::WindowType, &ALL_TIME.into()),
                column: None,
                sentence: "the window type none is that of limits without a window: keep it"
                    .to_owned(),
            });
        }
        faults
    }

    /// The rows that others would take away or give another meaning; a description has none.
    pub fn touched(&self, after: &Self) -> Vec<LookupRef> {
        let mut rows: Vec<LookupRef> = self.rows().collect();
        rows.retain(|row| self.meaning(row) != after.meaning(row));
        rows.sort_unstable();
        rows
    }

    /// What others would take from under those who use some of these rows.
    pub fn losses(&self, used: &[LookupRef], after: &Self) -> Vec<LookupFault> {
        used.iter()
            .flat_map(|row| self.losses_of(row, after))
            .collect()
    }

    fn losses_of(&self, row: &LookupRef, after: &Self) -> Vec<LookupFault> {
        let loss = |column, what: &str| LookupFault {
            row: row.clone(),
            column,
            sentence: format!("the {row} is in use: {what}"),
        };
        let (Some(before), Some(after)) = (self.meaning(row), after.meaning(row)) else {
            return vec![loss(None, "keep it")];
        };
        let pairs = before.iter().zip(&after);
        let changed = pairs.filter(|(before, after)| before != after);
        changed
            .map(|((column, value), _)| loss(Some(*column), &format!("{column} stays {value}")))
            .collect()
    }

    /// Whether there is such a row.
    pub fn has(&self, row: &LookupRef) -> bool {
        self.meaning(row).is_some()
    }

    /// All rows, by name.
    fn rows(&self) -> impl Iterator<Item = LookupRef> {
        let units = self.units.keys();
        let units = units.map(|code| LookupRef::new(LookupKind::Unit, code));
        let windows = self.window_types.keys();
        let windows = windows.map(|code| LookupRef::new(LookupKind::WindowType, code));
        let accounts = self.account_types.keys();
        let accounts = accounts.map(|code| LookupRef::new(LookupKind::AccountType, code));
        units.chain(windows).chain(accounts)
    }

    fn meaning(&self, row: &LookupRef) -> Option<Meaning> {
        match row.kind {
            LookupKind::Unit => self.units.get(&row.code).map(unit_meaning),
            LookupKind::WindowType => self.window_types.get(&row.code).map(window_meaning),
            LookupKind::AccountType => self.account_types.get(&row.code).map(account_meaning),
        }
    }
}

fn unit_meaning(unit: &Unit) -> Meaning {
    vec![
        ("unit_category", unit.unit_category.clone()),
        ("scale", unit.scale.to_string()),
        ("base_unit_code", unit.base_unit_code.to_string()),
        ("base_factor", unit.base_factor.to_string()),
    ]
}

fn window_meaning(window: &WindowType) -> Meaning {
    let unit = window.period_unit.map_or(ALL_TIME, PeriodUnit::as_str);
    vec![
        ("mode", window.mode.as_str().to_owned()),
        ("period_unit", unit.to_owned()),
        ("period_count", window.period_count.to_string()),
    ]
}

fn account_meaning(account: &AccountType) -> Meaning {
    vec![("can_have_children", account.can_have_children.to_string())]
}

fn fault(kind: LookupKind, code: &Code, (column, sentence): Wrong) -> LookupFault {
    LookupFault {
        row: LookupRef::new(kind, code),
        column: Some(column),
        sentence,
    }
}

fn unit_fault(unit: &Unit, base: Option<&Unit>) -> Option<Wrong> {
    let code = &unit.base_unit_code;
    let Some(base) = base else {
        return Some(("base_unit_code", format!("there is no unit {code}")));
    };
    if unit.scale > MAX_SCALE {
        return Some(("scale", format!("scale is at most {MAX_SCALE}")));
    }
    if !(1..=MAX_FACTOR).contains(&unit.base_factor) {
        return Some(("base_factor", format!("base_factor is 1 to {MAX_FACTOR}")));
    }
    if *code == unit.unit_code {
        let sentence = "the base_factor of a base unit is 1".to_owned();
        return (unit.base_factor != 1).then_some(("base_factor", sentence));
    }
    if base.base_unit_code != base.unit_code {
        let counted_in = &base.base_unit_code;
        let sentence = format!("the unit {code} counts in {counted_in} and is no base unit");
        return Some(("base_unit_code", sentence));
    }
    let (own, of_base) = (&unit.unit_category, &base.unit_category);
    let sentence = format!("the base unit {code} counts {of_base}, not {own}");
    (own != of_base).then_some(("base_unit_code", sentence))
}

fn window_fault(window: &WindowType) -> Option<Wrong> {
    let is_all_time = window.mode == WindowMode::None;
    if &*window.code == ALL_TIME && !is_all_time {
        let sentence = "the window type none is all time: its mode is none";
        return Some(("mode", sentence.to_owned()));
    }
    if is_all_time && (window.period_unit.is_some() || window.period_count != 1) {
        let sentence = "a window type with the mode none has no period";
        return Some(("mode", sentence.to_owned()));
    }
    let column = match window.period_unit {
        None => "period_unit",
        Some(_) => "period_count",
    };
    let wrong = window.validate().err()?;
    Some((column, wrong.to_owned()))
}

#[cfg(test)]
mod tests;
