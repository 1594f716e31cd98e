//! Reading resources: a plan as SQLite's SQL, and its rows as typed values.

mod dialect;
mod functions;
#[cfg(test)]
mod plans;

use mec_core::Timestamp;
use mec_query::plan::{Plan, Value};
use mec_query::rows::{Cell, Rows};
use mec_query::schema::Kind;
use mec_query::sql::{self, Bound, Statement};
use mec_store::QueryError;
use rusqlite::types::{Value as Stored, ValueRef};
use rusqlite::{Connection, ErrorCode, params_from_iter};
use uuid::Uuid;

use crate::amount;
use crate::convert::damaged;
use crate::error::store_error;
use dialect::Sqlite;

pub(crate) use functions::install;

/// The largest answer, in bytes of text and JSON.
const MAX_ANSWER_BYTES: usize = 16 * 1024 * 1024;

/// Answers a plan. The caller has begun a transaction, so that the count is that of the rows.
pub(crate) fn query(connection: &Connection, plan: &Plan) -> Result<Rows, QueryError> {
    let dialect = Sqlite {
        timezone: plan.timezone.as_deref(),
    };
    let total = if plan.is_counted {
        let statement = sql::count(plan, &dialect);
        Some(count(connection, &statement).map_err(fault)?)
    } else {
        None
    };
    let statement = sql::rows(plan, &dialect);
    let kinds = plan.node.columns();
    let kinds = kinds.iter().map(|(_, kind)| *kind);
    let kinds: Vec<Kind> = kinds
        .chain(plan.cursor.iter().map(|field| field.kind))
        .collect();
    let mut prepared = connection.prepare_cached(&statement.sql).map_err(fault)?;
    let mut found = prepared
        .query(params_from_iter(values(&statement)))
        .map_err(fault)?;
    let mut rows = Vec::new();
    let mut bytes = 0;
    while let Some(row) = found.next().map_err(fault)? {
        let mut cells = Vec::with_capacity(kinds.len());
        for (column, kind) in kinds.iter().enumerate() {
            let value = row.get_ref(column).map_err(fault)?;
            let cell = cell(value, *kind, column).map_err(fault)?;
            bytes += size(&cell);
            cells.push(cell);
        }
        if bytes > MAX_ANSWER_BYTES {
            return Err(QueryError::TooLarge);
        }
        rows.push(cells);
    }
    Ok(Rows { rows, total })
}

fn count(connection: &Connection, statement: &Statement) -> rusqlite::Result<u64> {
    let mut prepared = connection.prepare_cached(&statement.sql)?;
    let number: i64 = prepared.query_row(params_from_iter(values(statement)), |row| row.get(0))?;
    Ok(u64::try_from(number).unwrap_or(0))
}

/// The values of a statement, which the dialect has put into the form of their columns.
fn values(statement: &Statement) -> impl Iterator<Item = Stored> + '_ {
    statement
        .values
        .all
        .iter()
        .flat_map(Bound::values)
        .map(|value| match value {
            Value::Text(text) | Value::Json(text) => Stored::Text(text.clone()),
            Value::Integer(number) => Stored::Integer(*number),
            Value::Boolean(is_true) => Stored::Integer(i64::from(*is_true)),
            Value::Time(at) => Stored::Integer(at.as_micros()),
            Value::Uuid(id) => Stored::Blob(id.as_bytes().to_vec()),
            Value::Bytes(bytes) => Stored::Blob(bytes.clone()),
            Value::Decimal(micros) => Stored::Blob(amount::ordered(*micros).to_vec()),
        })
}

fn size(cell: &Cell) -> usize {
    match cell {
        Cell::Text(text) | Cell::Json(text) | Cell::LocalTime(text) => text.len() + 16,
        _ => 32,
    }
}

fn cell(value: ValueRef<'_>, kind: Kind, column: usize) -> rusqlite::Result<Cell> {
    let wrong = || damaged(column, "a value is not of its column's type");
    Ok(match (kind, value) {
        (_, ValueRef::Null) => Cell::Null,
        (Kind::Text, ValueRef::Text(_)) => Cell::Text(value.as_str()?.to_owned()),
        (Kind::Json, ValueRef::Text(_)) => Cell::Json(value.as_str()?.to_owned()),
        (Kind::Integer, ValueRef::Integer(number)) => Cell::Integer(number),
        (Kind::Boolean, ValueRef::Integer(number)) => Cell::Boolean(number != 0),
        (Kind::Time, ValueRef::Integer(micros)) => Cell::Time(Timestamp::from_micros(micros)),
        (Kind::Quantity, ValueRef::Integer(micros)) => Cell::Decimal(i128::from(micros)),
        (Kind::Amount, ValueRef::Blob(bytes)) => {
            Cell::Decimal(amount::from_ordered(bytes).ok_or_else(wrong)?)
        }
        (Kind::Uuid, ValueRef::Blob(bytes)) => {
            Cell::Uuid(Uuid::from_slice(bytes).map_err(|_| wrong())?)
        }
        (Kind::Bytes, ValueRef::Blob(bytes)) => Cell::Bytes(bytes.to_vec()),
        _ => return Err(wrong()),
    })
}

fn fault(error: rusqlite::Error) -> QueryError {
    let code = error.sqlite_error_code();
    if code == Some(ErrorCode::OperationInterrupted) {
        return QueryError::TooSlow;
    }
    if code == Some(ErrorCode::TooBig) {
        return QueryError::TooLarge;
    }
    QueryError::Store(store_error(error))
}
