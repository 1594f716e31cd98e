//! How ids, times and quantities are put into columns, and statements run. Reading stands in
//! [`crate::convert`].

use mec_core::{Code, Quantity, Timestamp};
use rusqlite::types::{ToSql, ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, Params, Row};
use uuid::Uuid;

/// An id: a BLOB of 16 bytes.
#[derive(Clone, Copy)]
pub(crate) struct Id(pub Uuid);

/// A moment: whole microseconds since 1970.
#[derive(Clone, Copy)]
pub(crate) struct At(pub Timestamp);

/// A quantity of one event, entitlement, rule or grant: whole millionths.
#[derive(Clone, Copy)]
pub(crate) struct Millionths(pub Quantity);

/// A number that is never negative in the domain.
#[derive(Clone, Copy)]
pub(crate) struct Counted(pub u64);

impl ToSql for Id {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Blob(self.0.as_bytes())))
    }
}

impl ToSql for At {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Owned(Value::Integer(self.0.as_micros())))
    }
}

impl ToSql for Millionths {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let micros = i64::try_from(self.0.micros()).map_err(|_| out_of_range("a quantity"))?;
        Ok(ToSqlOutput::Owned(Value::Integer(micros)))
    }
}

impl ToSql for Counted {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let number = i64::try_from(self.0).map_err(|_| out_of_range("a count"))?;
        Ok(ToSqlOutput::Owned(Value::Integer(number)))
    }
}

/// A value that no column can hold.
#[derive(Debug, thiserror::Error)]
#[error("{0} is beyond what a column holds")]
struct OutOfRange(&'static str);

fn out_of_range(what: &'static str) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(Box::new(OutOfRange(what)))
}

/// A scope or window type in the key of an internal table, where an empty text stands for none.
pub(crate) fn or_empty(code: Option<&Code>) -> &str {
    code.map_or("", |code| &**code)
}

/// All rows of a statement, which is prepared once per connection.
pub(crate) fn all<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    connection
        .prepare_cached(sql)?
        .query_map(params, read)?
        .collect()
}

/// The first row of a statement, if it has one.
pub(crate) fn first<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Option<T>> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    rows.next()?.map(read).transpose()
}

/// Runs a statement that gives no rows; says how many it changed.
pub(crate) fn run(
    connection: &Connection,
    sql: &str,
    params: impl Params,
) -> rusqlite::Result<usize> {
    connection.prepare_cached(sql)?.execute(params)
}
