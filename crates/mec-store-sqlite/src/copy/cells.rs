//! One value of the source as a neutral one.

use std::fmt::Write;

use mec_core::{Quantity, Timestamp};
use mec_store::StoreError;
use mec_store::copy::{CopyError, Kind};
use rusqlite::Row;
use rusqlite::types::ValueRef;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::amount;
use crate::error::store_error;

/// Adds a row, in its columns from the given one on, to an array. Returns the column behind it.
pub(super) fn write(
    row: &Row<'_>,
    first: usize,
    columns: &[(&str, Kind)],
    out: &mut String,
) -> Result<usize, CopyError> {
    out.push_str(if out.len() > 1 { ",\n{" } else { "{" });
    let mut at = first;
    for (index, (name, kind)) in columns.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        // Names of columns have nothing to escape; writing to a text does not fail.
        let _ = write!(out, "\"{name}\":");
        let value = row.get_ref(at).map_err(store_error)?;
        if *kind == Kind::Text && value.as_str().is_ok_and(|text| text.contains('\0')) {
            return Err(CopyError::Refused(format!(
                "a {name} holds the character NUL, which a text in PostgreSQL cannot: {}",
                value.as_str().unwrap_or_default().escape_debug()
            )));
        }
        if value == ValueRef::Null {
            out.push_str("null");
            at += width(*kind);
        } else {
            let damaged = || {
                CopyError::from(StoreError::Damaged(format!(
                    "{name} is not as it should be"
                )))
            };
            let text = text(row, at, *kind, value).ok_or_else(damaged)?;
            out.push_str(&text);
            at += width(*kind);
        }
    }
    out.push('}');
    Ok(at)
}

/// How many columns of the source a value takes.
pub(super) fn width(kind: Kind) -> usize {
    if kind == Kind::Amount { 2 } else { 1 }
}

/// A value as JSON; none where it is not of its kind.
fn text(row: &Row<'_>, at: usize, kind: Kind, value: ValueRef<'_>) -> Option<String> {
    let number = || value.as_i64().ok();
    match kind {
        Kind::Text | Kind::Decimal => serde_json::to_string(value.as_str().ok()?).ok(),
        Kind::Number => Some(number()?.to_string()),
        Kind::Flag => Some((number()? != 0).to_string()),
        Kind::Quantity => Some(quoted(&Quantity::from_micros(number()?.into()))),
        Kind::Amount => Some(quoted(&Quantity::from_micros(amount::read(row, at).ok()?))),
        Kind::At => Some(quoted(&Timestamp::from_micros(number()?))),
        Kind::Id => Some(quoted(&Uuid::from_slice(value.as_blob().ok()?).ok()?)),
        Kind::Ids => {
            let ids = value.as_blob().ok()?.chunks(16).map(Uuid::from_slice);
            serde_json::to_string(&ids.collect::<Result<Vec<_>, _>>().ok()?).ok()
        }
        Kind::Bytes => {
            let mut text = "\"\\\\x".to_owned();
            for byte in value.as_blob().ok()? {
                // Writing to a text does not fail.
                let _ = write!(text, "{byte:02x}");
            }
            text.push('"');
            Some(text)
        }
        Kind::Json => {
            let json: &RawValue = serde_json::from_str(value.as_str().ok()?).ok()?;
            Some(json.get().to_owned())
        }
    }
}

fn quoted(shown: &impl std::fmt::Display) -> String {
    format!("\"{shown}\"")
}

/// A value that can be summed, 0 for none; moves on to the column behind it.
pub(super) fn number(row: &Row<'_>, at: &mut usize, kind: Kind) -> rusqlite::Result<i128> {
    let column = *at;
    *at += width(kind);
    if kind == Kind::Amount {
        return amount::read(row, column);
    }
    Ok(row.get::<_, Option<i64>>(column)?.unwrap_or(0).into())
}

/// A sum as both sides write it.
pub(super) fn sum_text(kind: Kind, sum: i128) -> String {
    match kind {
        Kind::Quantity | Kind::Amount => Quantity::from_micros(sum).to_string(),
        _ => sum.to_string(),
    }
}
