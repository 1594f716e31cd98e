//! The rows that all namespaces share: read whole, and replaced whole but for those in use, which the
//! triggers of the schema keep.

use std::collections::BTreeSet;

use mec_core::catalogue::{AccountType, Lookups, Unit};
use mec_core::lookups::{LookupKind, LookupRef};
use mec_core::window::{PeriodUnit, WindowMode, WindowType};
use rusqlite::{Connection, params};

use crate::convert::{code, named, number};
use crate::sql;
use crate::values::{all, first, run};

type Sql<T> = rusqlite::Result<T>;

/// The name of their version in `store_meta`.
const VERSION: &str = "lookups_version";

/// All of them.
pub(crate) fn read(conn: &Connection) -> Sql<Lookups> {
    let units = all(conn, sql::UNIT_SELECT_ALL, [], |row| {
        Ok(Unit {
            unit_code: code(row, 0)?,
            unit_category: row.get(1)?,
            description: row.get(2)?,
            scale: number(row, 3)?,
            base_unit_code: code(row, 4)?,
            base_factor: row.get(5)?,
        })
    })?;
    let window_types = all(conn, sql::WINDOW_TYPE_SELECT_ALL, [], |row| {
        let unit: Option<String> = row.get(3)?;
        Ok(WindowType {
            code: code(row, 0)?,
            description: row.get(1)?,
            mode: named(row, 2, WindowMode::parse)?,
            period_unit: unit.as_deref().and_then(PeriodUnit::parse),
            period_count: number(row, 4)?,
        })
    })?;
    let account_types = all(conn, sql::ACCOUNT_TYPE_SELECT_ALL, [], |row| {
        Ok(AccountType {
            account_type_code: code(row, 0)?,
            description: row.get(1)?,
            can_have_children: row.get(2)?,
        })
    })?;
    Ok(Lookups {
        version: version(conn)?,
        units: units
            .into_iter()
            .map(|unit| (unit.unit_code.clone(), unit))
            .collect(),
        window_types: window_types
            .into_iter()
            .map(|window| (window.code.clone(), window))
            .collect(),
        account_types: account_types
            .into_iter()
            .map(|account| (account.account_type_code.clone(), account))
            .collect(),
    })
}

/// Their version.
pub(crate) fn version(conn: &Connection) -> Sql<u64> {
    let version = first(conn, sql::META_SELECT_BY_NAME, [VERSION], |row| {
        number(row, 0)
    })?;
    Ok(version.unwrap_or(0))
}

/// Puts the rows that a new database begins with.
pub(crate) fn insert(conn: &Connection, lookups: &Lookups) -> Sql<()> {
    write(conn, &Lookups::default(), lookups)
}

/// Makes the rows what others say and raises their version; gives them back.
pub(crate) fn replace(conn: &mut Connection, after: &Lookups) -> Sql<Lookups> {
    let transaction = conn.transaction()?;
    let before = read(&transaction)?;
    write(&transaction, &before, after)?;
    let version = i64::try_from(before.version.saturating_add(1)).unwrap_or(i64::MAX);
    run(
        &transaction,
        sql::META_UPDATE_BY_NAME,
        params![VERSION, version],
    )?;
    let written = read(&transaction)?;
    transaction.commit()?;
    Ok(written)
}

/// Which of some rows are in use, in their order.
pub(crate) fn used(conn: &Connection, mut rows: Vec<LookupRef>) -> Sql<Vec<LookupRef>> {
    let mut used = BTreeSet::new();
    for row in &rows {
        let statement = match row.kind {
            LookupKind::Unit => sql::UNIT_SELECT_USED_BY_CODE,
            LookupKind::WindowType => sql::WINDOW_TYPE_SELECT_USED_BY_CODE,
            LookupKind::AccountType => sql::ACCOUNT_TYPE_SELECT_USED_BY_CODE,
        };
        if first(conn, statement, [&row.code], |_| Ok(()))?.is_some() {
            used.insert(row.clone());
        }
    }
    rows.retain(|row| used.contains(row));
    Ok(rows)
}

fn write(conn: &Connection, before: &Lookups, after: &Lookups) -> Sql<()> {
    // First, so that what is told to go is not in the way of what comes.
    for row in before.touched(after).iter().filter(|row| !after.has(row)) {
        let delete = match row.kind {
            LookupKind::Unit => sql::UNIT_DELETE_BY_CODE,
            LookupKind::WindowType => sql::WINDOW_TYPE_DELETE_BY_CODE,
            LookupKind::AccountType => sql::ACCOUNT_TYPE_DELETE_BY_CODE,
        };
        run(conn, delete, [&row.code])?;
    }
    for (code, unit) in &after.units {
        put_unit(conn, before.units.get(code), unit)?;
    }
    for (code, window) in &after.window_types {
        put_window_type(conn, before.window_types.get(code), window)?;
    }
    for (code, account) in &after.account_types {
        put_account_type(conn, before.account_types.get(code), account)?;
    }
    Ok(())
}

/// The statement that puts a row: none where it is so already.
fn statement<T: PartialEq>(
    before: Option<&T>,
    after: &T,
    insert: &'static str,
    update: &'static str,
) -> Option<&'static str> {
    match before {
        None => Some(insert),
        Some(before) => (before != after).then_some(update),
    }
}

fn put_unit(conn: &Connection, before: Option<&Unit>, unit: &Unit) -> Sql<()> {
    let put = statement(before, unit, sql::UNIT_INSERT, sql::UNIT_UPDATE_BY_CODE);
    let values = params![
        unit.unit_code,
        unit.unit_category,
        unit.description,
        unit.scale,
        unit.base_unit_code,
        unit.base_factor
    ];
    put.map_or(Ok(()), |put| run(conn, put, values).map(drop))
}

fn put_window_type(conn: &Connection, before: Option<&WindowType>, window: &WindowType) -> Sql<()> {
    let put = statement(
        before,
        window,
        sql::WINDOW_TYPE_INSERT,
        sql::WINDOW_TYPE_UPDATE_BY_CODE,
    );
    let values = params![
        window.code,
        window.description,
        window.mode.as_str(),
        window.period_unit.map(PeriodUnit::as_str),
        window.period_count
    ];
    put.map_or(Ok(()), |put| run(conn, put, values).map(drop))
}

fn put_account_type(
    conn: &Connection,
    before: Option<&AccountType>,
    account: &AccountType,
) -> Sql<()> {
    let put = statement(
        before,
        account,
        sql::ACCOUNT_TYPE_INSERT,
        sql::ACCOUNT_TYPE_UPDATE_BY_CODE,
    );
    let values = params![
        account.account_type_code,
        account.description,
        account.can_have_children
    ];
    put.map_or(Ok(()), |put| run(conn, put, values).map(drop))
}
