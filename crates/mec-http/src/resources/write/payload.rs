//! The body of a write as rows: JSON, CSV or a form.

use std::collections::BTreeSet;

use axum::http::header::{CONTENT_TYPE, HeaderMap};
use mec_query::nearest;
use mec_query::plan::Value;
use mec_query::rows::Cell;
use mec_query::schema::{Column, Kind, Resource};
use serde_json::value::RawValue;

use super::table::is_made;
use crate::args::{Arguments, Shape};
use crate::error::ApiError;

/// The most rows of one write.
pub const MAX_ROWS: usize = 1_000;

/// One row as it is sent: the columns that it names, by their places in the resource.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// The column's place, and the value.
    pub values: Vec<(usize, Cell)>,
    /// What belongs to the row and is no column of it, as JSON.
    beside: Vec<(&'static str, String)>,
}

impl Given {
    /// The value of a column, if the row names it.
    pub fn get(&self, column: usize) -> Option<&Cell> {
        let mut values = self.values.iter();
        values.find(|(at, _)| *at == column).map(|(_, value)| value)
    }

    /// The row as arguments by the names of its columns; what is null is left out, and what MEC sets itself.
    pub fn arguments(&self, resource: &'static Resource) -> Arguments<'static> {
        let named = self.values.iter().filter_map(|(at, value)| {
            let column = resource.columns.get(*at)?;
            let is_sent = !is_made(column.name);
            is_sent.then_some((column.name, value.to_text()?))
        });
        let beside = self.beside.iter().cloned();
        Arguments::from_texts(Shape::Table(resource.name), named.chain(beside))
    }
}

/// Reads a body.
///
/// # Errors
/// For what cannot be read, names that are no columns, values that are not of their column's type, and rows
/// that name different columns without `columns` to say which are meant.
pub fn read(
    resource: &'static Resource,
    headers: &HeaderMap,
    body: &[u8],
    only: Option<&[String]>,
) -> Result<Vec<Given>, ApiError> {
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    let kind = kind.unwrap_or("application/json");
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let text = std::str::from_utf8(body).map_err(|error| {
        let details = format!("the body is not UTF-8 from byte {} on", error.valid_up_to());
        ApiError::new("invalid_json", "the body is not valid UTF-8").with_details(details)
    })?;
    let reading = Reading { resource, only };
    let rows = match kind.to_ascii_lowercase().as_str() {
        "application/json" => reading.json(text)?,
        "text/csv" => reading.csv(text)?,
        "application/x-www-form-urlencoded" => vec![reading.form(text)?],
        _ => {
            let message =
                "send the body as application/json, text/csv or application/x-www-form-urlencoded";
            return Err(ApiError::new("unsupported_media_type", message));
        }
    };
    if rows.len() > MAX_ROWS {
        let message = format!("one write has at most {MAX_ROWS} rows");
        return Err(ApiError::new("too_many_items", message));
    }
    let named = |row: &Given| {
        row.values
            .iter()
            .map(|(at, _)| *at)
            .collect::<BTreeSet<_>>()
    };
    let first = rows.first().map(named);
    if only.is_none() && rows.iter().any(|row| Some(named(row)) != first) {
        return Err(ApiError::new("PGRST102", "All object keys must match"));
    }
    Ok(rows)
}

struct Reading<'a> {
    resource: &'static Resource,
    only: Option<&'a [String]>,
}

impl Reading<'_> {
    fn json(&self, text: &str) -> Result<Vec<Given>, ApiError> {
        let broken = |error: serde_json::Error| {
            ApiError::new("invalid_json", "the body is not valid JSON")
                .with_details(error.to_string())
        };
        if !text.trim_start().starts_with('[') {
            return Ok(vec![self.object(text)?]);
        }
        let objects: Vec<&RawValue> = serde_json::from_str(text).map_err(broken)?;
        objects
            .into_iter()
            .map(|object| self.object(object.get()))
            .collect()
    }

    fn object(&self, text: &str) -> Result<Given, ApiError> {
        let arguments = Arguments::from_text(Shape::Table(self.resource.name), text)?;
        let mut given = Given::default();
        for (name, json) in arguments.jsons() {
            if (self.resource.name, name) == ("entitlements", "conditions") {
                given.beside.push(("conditions", json.to_owned()));
                continue;
            }
            if let Some((at, column)) = self.column(name)? {
                self.put(&mut given, at, column, of_json(column, json))?;
            }
        }
        Ok(given)
    }

    fn csv(&self, text: &str) -> Result<Vec<Given>, ApiError> {
        let broken = |error: csv::Error| {
            ApiError::new("PGRST102", "the body is not valid CSV").with_details(error.to_string())
        };
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let names = reader.headers().map_err(broken)?.clone();
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record.map_err(broken)?;
            let mut given = Given::default();
            for (name, field) in names.iter().zip(record.iter()) {
                let Some((at, column)) = self.column(name)? else {
                    continue;
                };
                let value = match field {
                    "NULL" => Ok(Cell::Null),
                    field => of_text(column, field),
                };
                self.put(&mut given, at, column, value)?;
            }
            rows.push(given);
        }
        Ok(rows)
    }

    fn form(&self, text: &str) -> Result<Given, ApiError> {
        let mut given = Given::default();
        for (name, value) in mec_query::parse::pairs(text)? {
            if let Some((at, column)) = self.column(&name)? {
                self.put(&mut given, at, column, of_text(column, &value))?;
            }
        }
        Ok(given)
    }

    /// A column by its name; none where `columns` leaves it out.
    fn column(&self, name: &str) -> Result<Option<(usize, &'static Column)>, ApiError> {
        let is_meant = |only: &[String]| only.iter().any(|only| only == name);
        if !self.only.is_none_or(is_meant) {
            return Ok(None);
        }
        let columns = self.resource.columns;
        let found = columns.iter().position(|column| column.name == name);
        let found = found.and_then(|at| Some((at, columns.get(at)?)));
        found
            .map(Some)
            .ok_or_else(|| unknown_column(self.resource, name))
    }

    fn put(
        &self,
        given: &mut Given,
        at: usize,
        column: &'static Column,
        value: Result<Cell, &'static str>,
    ) -> Result<(), ApiError> {
        let value = value.map_err(|expected| bad_value(column.name, expected))?;
        if given.get(at).is_some() {
            let message = format!("{} stands twice", column.name);
            return Err(ApiError::new("duplicate_key", message).with_details(column.name));
        }
        given.values.push((at, value));
        Ok(())
    }
}

/// The error of a name that is no column.
pub fn unknown_column(resource: &'static Resource, name: &str) -> ApiError {
    let shown: String = name.chars().take(64).collect();
    let names = || resource.columns.iter().map(|column| column.name);
    let hint = match nearest(name, names()) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("known are {}", names().collect::<Vec<_>>().join(", ")),
    };
    ApiError::new(
        "PGRST204",
        format!("{} has no column {shown}", resource.name),
    )
    .with_details(shown)
    .with_hint(Some(hint))
}

/// The error of a value that its column does not take.
pub fn bad_value(column: &'static str, expected: &str) -> ApiError {
    ApiError::new("invalid_value", format!("{column}: expected {expected}")).with_details(column)
}

/// A column's value from JSON; an error says what is expected.
pub fn of_json(column: &'static Column, json: &str) -> Result<Cell, &'static str> {
    let expected = expected(column.kind);
    if column.kind == Kind::Json {
        return Ok(match json {
            "null" => Cell::Null,
            json => Cell::Json(json.to_owned()),
        });
    }
    match json.as_bytes().first() {
        Some(b'n') => Ok(Cell::Null),
        Some(b'"') => {
            let text: String = serde_json::from_str(json).map_err(|_| expected)?;
            of_text(column, &text)
        }
        Some(b't' | b'f') if column.kind == Kind::Boolean => of_text(column, json),
        Some(b'-' | b'0'..=b'9') => match column.kind {
            Kind::Quantity | Kind::Amount => of_text(column, json),
            // 6e1 is a whole number, too.
            Kind::Integer => whole(json).map(Cell::Integer).ok_or(expected),
            _ => Err(expected),
        },
        _ => Err(expected),
    }
}

/// A column's value from text; an error says what is expected.
pub fn of_text(column: &'static Column, text: &str) -> Result<Cell, &'static str> {
    let expected = expected(column.kind);
    if column.kind == Kind::Integer {
        return whole(text).map(Cell::Integer).ok_or(expected);
    }
    let value = Value::parse(text, column.kind).map_err(|_| expected)?;
    Ok(match value {
        Value::Text(text) => Cell::Text(text),
        Value::Uuid(id) => Cell::Uuid(id),
        Value::Integer(number) => Cell::Integer(number),
        Value::Boolean(is_true) => Cell::Boolean(is_true),
        Value::Decimal(micros) => Cell::Decimal(micros),
        Value::Time(at) => Cell::Time(at),
        Value::Json(json) => Cell::Json(json),
        Value::Bytes(bytes) => Cell::Bytes(bytes),
    })
}

fn whole(text: &str) -> Option<i64> {
    let number = mec_core::Quantity::parse_sum(text.trim()).ok()?;
    let whole = (number.decimals() == 0).then(|| number.floor_int())?;
    i64::try_from(whole).ok()
}

fn expected(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "a string",
        Kind::Uuid => "a UUID such as 0192f0c1-7f3a-7cc0-8a3b-5d2f9d1e4a10",
        Kind::Integer => "a whole number",
        Kind::Boolean => "true or false",
        Kind::Quantity | Kind::Amount => "a decimal with at most six places",
        Kind::Time => "a date-time of the years 0001 to 9998 such as 2026-11-24T02:00:34+00:00",
        Kind::Json => "a JSON value",
        Kind::Bytes => "bytes as \\x and hexadecimal digits",
    }
}

#[cfg(test)]
mod tests;
