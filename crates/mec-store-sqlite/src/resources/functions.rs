//! Functions that SQLite lacks, for the connections that read. Of a null they give null.

use std::sync::Arc;

use mec_core::{Quantity, Timestamp};
use mec_query::ast::SearchKind;
use mec_query::like::is_like;
use mec_query::plan::regex;
use mec_query::rows::{Cell, half_away, local_time, time_text, utc_time};
use mec_query::{Search, json};
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Result};
use uuid::Uuid;

use crate::amount;

/// Makes the functions known to a connection.
pub(crate) fn install(connection: &Connection) -> Result<()> {
    let add = |name, arguments, function: fn(&Context<'_>) -> Result<Value>| {
        let flags = FunctionFlags::SQLITE_UTF8
            | FunctionFlags::SQLITE_DETERMINISTIC
            | FunctionFlags::SQLITE_DIRECTONLY;
        connection.create_scalar_function(name, arguments, flags, move |context| {
            for index in 0..context.len() {
                if matches!(context.get_raw(index), ValueRef::Null) {
                    return Ok(Value::Null);
                }
            }
            function(context)
        })
    };
    add("mec_uuid", 1, |of| {
        let id = Uuid::from_bytes(of.get::<[u8; 16]>(0)?);
        Ok(Value::Text(id.to_string()))
    })?;
    add("mec_bytes", 1, |of| {
        Ok(text(Cell::Bytes(of.get(0)?).to_text()))
    })?;
    add("mec_amount", 2, |of| {
        let sum = amount::join(of.get(0)?, of.get(1)?);
        Ok(Value::Blob(amount::ordered(sum).to_vec()))
    })?;
    add("mec_amount_of_text", 1, |of| {
        let sum = Quantity::parse_sum(of.get_raw(0).as_str()?).ok();
        Ok(sum.map_or(Value::Null, |sum| {
            Value::Blob(amount::ordered(sum.micros()).to_vec())
        }))
    })?;
    add("mec_decimal", 1, |of| {
        let sum = millionths(of)?.map(|sum| Quantity::from_micros(sum).to_string());
        Ok(text(sum))
    })?;
    add("mec_round", 1, |of| {
        let sum = millionths(of)?;
        let whole = sum.and_then(|sum| i64::try_from(half_away(sum)).ok());
        Ok(whole.map_or(Value::Null, Value::Integer))
    })?;
    add("mec_time", 1, |of| Ok(Value::Text(utc_time(at(of)?))))?;
    add("mec_time", 2, |of| {
        Ok(text(local_time(at(of)?, of.get_raw(1).as_str()?)))
    })?;
    add("mec_time_text", 1, |of| Ok(Value::Text(time_text(at(of)?))))?;
    add("mec_json", 1, |of| {
        Ok(text(json::canonical(of.get_raw(0).as_str()?)))
    })?;
    add("mec_json_text", 1, |of| {
        Ok(text(json::text(of.get_raw(0).as_str()?)))
    })?;
    add("mec_member", 2, |of| {
        let held = of.get_raw(0).as_str()?;
        Ok(text(match of.get_raw(1) {
            ValueRef::Integer(index) => json::element(held, index),
            key => json::member(held, key.as_str()?),
        }))
    })?;
    add("mec_contains", 2, |of| {
        let found = json::contains(of.get_raw(0).as_str()?, of.get_raw(1).as_str()?);
        Ok(found.map_or(Value::Null, truth))
    })?;
    add("mec_like", 3, |of| {
        let any_case = of.get::<i64>(2)? != 0;
        let (pattern, held) = (of.get_raw(0).as_str()?, of.get_raw(1).as_str()?);
        Ok(truth(is_like(pattern, held, any_case)))
    })?;
    add("mec_match", 3, |of| {
        let any_case = of.get::<i64>(2)? != 0;
        let built = of.get_or_create_aux(0, |pattern| {
            let pattern = pattern.as_str().unwrap_or_default();
            regex(pattern, any_case).map_err(|error| error.to_string())
        })?;
        Ok(truth(built.is_match(of.get_raw(1).as_str()?)))
    })?;
    add("mec_words", 3, words)
}

fn words(of: &Context<'_>) -> Result<Value> {
    let kind = match of.get::<i64>(0)? {
        0 => SearchKind::Operators,
        1 => SearchKind::Plain,
        2 => SearchKind::Phrase,
        _ => SearchKind::Web,
    };
    let search: Arc<Search> = of.get_or_create_aux(1, |query| {
        let query = query.as_str().unwrap_or_default();
        Search::parse(kind, query).ok_or("no search")
    })?;
    Ok(truth(search.finds(of.get_raw(2).as_str()?)))
}

fn text(found: Option<String>) -> Value {
    found.map_or(Value::Null, Value::Text)
}

fn truth(holds: bool) -> Value {
    Value::Integer(i64::from(holds))
}

fn at(of: &Context<'_>) -> Result<Timestamp> {
    of.get(0).map(Timestamp::from_micros)
}

/// A quantity or a sum, whichever it is stored as.
fn millionths(of: &Context<'_>) -> Result<Option<i128>> {
    Ok(match of.get_raw(0) {
        ValueRef::Blob(bytes) => amount::from_ordered(bytes),
        other => Some(i128::from(other.as_i64()?)),
    })
}
