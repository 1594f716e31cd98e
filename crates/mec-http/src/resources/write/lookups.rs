//! The rows that all namespaces share, each changed by replacing them as a whole.

use mec_core::Code;
use mec_core::catalogue::{AccountType, Lookups, Unit};
use mec_core::window::{PeriodUnit, WindowMode, WindowType};
use mec_query::rows::Cell;
use mec_query::schema::Resource;

use super::cells::{Reading, text};
use super::payload::Given;
use super::table::Row;
use crate::error::ApiError;

/// The rows of a resource.
pub fn rows(resource: &'static Resource, lookups: &Lookups) -> Vec<Row> {
    match resource.name {
        "units" => lookups.units.values().map(unit).collect(),
        "window_types" => lookups.window_types.values().map(window_type).collect(),
        _ => lookups.account_types.values().map(account_type).collect(),
    }
}

/// What stands for a column that a new row lacks.
pub fn default(column: &'static str, given: &Given) -> Option<Cell> {
    Some(match column {
        "description" => text(""),
        "can_have_children" => Cell::Boolean(false),
        "scale" => Cell::Integer(0),
        // A unit without another one below it is its own base.
        "base_unit_code" => given.get(0)?.clone(),
        "base_factor" => Cell::Integer(1),
        "period_count" => Cell::Integer(1),
        _ => return None,
    })
}

/// Puts the rows of a resource in place of those that there are.
pub fn put(
    resource: &'static Resource,
    rows: &[Row],
    lookups: &mut Lookups,
) -> Result<(), ApiError> {
    let all = || rows.iter().map(|row| Reading::new(resource, row));
    match resource.name {
        "units" => {
            let units: Result<Vec<Unit>, ApiError> = all().map(|row| read_unit(&row)).collect();
            lookups.units = units?
                .into_iter()
                .map(|row| (row.unit_code.clone(), row))
                .collect();
        }
        "window_types" => {
            let windows: Result<Vec<WindowType>, ApiError> =
                all().map(|row| read_window_type(&row)).collect();
            let windows = windows?.into_iter().map(|row| (row.code.clone(), row));
            lookups.window_types = windows.collect();
        }
        _ => {
            let types: Result<Vec<AccountType>, ApiError> =
                all().map(|row| read_account_type(&row)).collect();
            let types = types?
                .into_iter()
                .map(|row| (row.account_type_code.clone(), row));
            lookups.account_types = types.collect();
        }
    }
    Ok(())
}

fn unit(row: &Unit) -> Row {
    vec![
        text(&row.unit_code),
        text(&row.unit_category),
        text(&row.description),
        Cell::Integer(i64::from(row.scale)),
        text(&row.base_unit_code),
        Cell::Integer(row.base_factor),
    ]
}

fn read_unit(row: &Reading<'_>) -> Result<Unit, ApiError> {
    Ok(Unit {
        unit_code: row.code("unit_code")?,
        unit_category: row.text("unit_category")?,
        description: row.text("description")?,
        scale: row.number("scale")?,
        base_unit_code: row.code("base_unit_code")?,
        base_factor: row.number("base_factor")?,
    })
}

fn window_type(row: &WindowType) -> Row {
    vec![
        text(&row.code),
        text(&row.description),
        text(row.mode.as_str()),
        row.period_unit
            .map_or(Cell::Null, |unit| text(unit.as_str())),
        Cell::Integer(i64::from(row.period_count)),
    ]
}

fn read_window_type(row: &Reading<'_>) -> Result<WindowType, ApiError> {
    let period_unit: Option<Code> = row.maybe_code("period_unit")?;
    let period_unit = match period_unit {
        None => None,
        Some(_) => Some(row.one_of("period_unit", PeriodUnit::parse)?),
    };
    Ok(WindowType {
        code: row.code("window_type_code")?,
        description: row.text("description")?,
        mode: row.one_of("mode", WindowMode::parse)?,
        period_unit,
        period_count: row.number("period_count")?,
    })
}

fn account_type(row: &AccountType) -> Row {
    vec![
        text(&row.account_type_code),
        text(&row.description),
        Cell::Boolean(row.can_have_children),
    ]
}

fn read_account_type(row: &Reading<'_>) -> Result<AccountType, ApiError> {
    Ok(AccountType {
        account_type_code: row.code("account_type_code")?,
        description: row.text("description")?,
        can_have_children: row.flag("can_have_children")?,
    })
}
