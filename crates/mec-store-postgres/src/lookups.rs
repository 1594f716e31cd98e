//! The rows that all namespaces share: read whole, and replaced whole but for those in use, which the
//! guards of the schema keep.

use futures_util::try_join;
use mec_core::Code;
use mec_core::catalogue::{AccountType, Lookups, Unit};
use mec_core::lookups::{LookupKind, LookupRef};
use mec_core::window::{PeriodUnit, WindowMode, WindowType};
use serde_json::json;

use crate::catalogue::put;
use crate::connection::{Connection, Value};
use crate::error::Fault;
use crate::load::read as rows;
use crate::sql;
use crate::values::Columns;

type Read<T> = Result<T, Fault>;

/// What stands for all namespaces where a version is kept.
const ALL: &str = "*";

/// All of them, with their version.
pub(crate) async fn read(connection: &Connection) -> Read<Lookups> {
    let (version, units, window_types, account_types) = try_join!(
        connection.first(sql::LOOKUPS_VERSION_SELECT, &[]),
        connection.all(sql::UNIT_SELECT_ALL, &[]),
        connection.all(sql::WINDOW_TYPE_SELECT_ALL, &[]),
        connection.all(sql::ACCOUNT_TYPE_SELECT_ALL, &[]),
    )?;
    let units = rows(&units, |row| {
        let unit = Unit {
            unit_code: row.code(0)?,
            unit_category: row.read(1)?,
            description: row.read(2)?,
            scale: row.number(3)?,
            base_unit_code: row.code(4)?,
            base_factor: row.read(5)?,
        };
        Ok((unit.unit_code.clone(), unit))
    })?;
    let window_types = rows(&window_types, |row| {
        let unit: Option<&str> = row.read(3)?;
        let window = WindowType {
            code: row.code(0)?,
            description: row.read(1)?,
            mode: row.named(2, WindowMode::parse)?,
            period_unit: unit.and_then(PeriodUnit::parse),
            period_count: row.number(4)?,
        };
        Ok((window.code.clone(), window))
    })?;
    let account_types = rows(&account_types, |row| {
        let kind = AccountType {
            account_type_code: row.code(0)?,
            description: row.read(1)?,
            can_have_children: row.read(2)?,
        };
        Ok((kind.account_type_code.clone(), kind))
    })?;
    Ok(Lookups {
        version: version.map_or(Ok(0), |row| row.number(0))?,
        units: units.into_iter().collect(),
        window_types: window_types.into_iter().collect(),
        account_types: account_types.into_iter().collect(),
    })
}

/// Makes the rows what others say, and raises their version.
pub(crate) async fn replace(connection: &Connection, after: &Lookups) -> Read<()> {
    let raise = sql::CATALOGUE_VERSION_RAISE_BY_NAMESPACE;
    connection.run(raise, &[&ALL]).await?;
    let before = read(connection).await?;
    let gone = |before: Vec<&Code>, is_kept: &dyn Fn(&Code) -> bool| -> Vec<String> {
        let gone = before.into_iter().filter(|code| !is_kept(code));
        gone.map(ToString::to_string).collect()
    };
    put_all(connection, after).await?;
    let kept = |code: &Code| after.units.contains_key(code);
    let units = gone(before.units.keys().collect(), &kept);
    let kept = |code: &Code| after.window_types.contains_key(code);
    let window_types = gone(before.window_types.keys().collect(), &kept);
    let kept = |code: &Code| after.account_types.contains_key(code);
    let account_types = gone(before.account_types.keys().collect(), &kept);
    for (sql, codes) in [
        (sql::UNIT_DELETE_BY_CODE, &units),
        (sql::WINDOW_TYPE_DELETE_BY_CODE, &window_types),
        (sql::ACCOUNT_TYPE_DELETE_BY_CODE, &account_types),
    ] {
        connection.run(sql, &[codes]).await?;
    }
    Ok(())
}

/// Which of some rows are in use, in their order.
pub(crate) async fn used(connection: &Connection, asked: Vec<LookupRef>) -> Read<Vec<LookupRef>> {
    let mut used = Vec::new();
    for row in asked {
        let sql = match row.kind {
            LookupKind::Unit => sql::UNIT_SELECT_USED_BY_CODE,
            LookupKind::WindowType => sql::WINDOW_TYPE_SELECT_USED_BY_CODE,
            LookupKind::AccountType => sql::ACCOUNT_TYPE_SELECT_USED_BY_CODE,
        };
        let code: [Value<'_>; 1] = [&&*row.code];
        if connection.first(sql, &code).await?.is_some() {
            used.push(row);
        }
    }
    Ok(used)
}

/// Puts the rows that all namespaces share.
pub(crate) async fn put_all(connection: &Connection, lookups: &Lookups) -> Read<()> {
    let units = lookups.units.values().map(|unit| {
        json!({
            "unit_code": unit.unit_code, "unit_category": unit.unit_category,
            "description": unit.description, "scale": unit.scale, "base_unit_code": unit.base_unit_code,
            "base_factor": unit.base_factor,
        })
    });
    put(connection, sql::UNIT_UPSERT_BY_CODE, units).await?;
    let window_types = lookups.window_types.values().map(|w| {
        json!({
            "window_type_code": w.code, "description": w.description, "mode": w.mode.as_str(),
            "period_unit": w.period_unit.map(PeriodUnit::as_str), "period_count": w.period_count,
        })
    });
    put(connection, sql::WINDOW_TYPE_UPSERT_BY_CODE, window_types).await?;
    let account_types = lookups.account_types.values().map(|t| {
        json!({
            "account_type_code": t.account_type_code, "description": t.description,
            "can_have_children": t.can_have_children,
        })
    });
    put(connection, sql::ACCOUNT_TYPE_UPSERT_BY_CODE, account_types).await
}
