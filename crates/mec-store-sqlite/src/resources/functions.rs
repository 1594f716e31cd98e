//! Functions that SQLite lacks, for the connections that read. Of a null they give null.

use std::sync::Arc;

use mec_core::{Quantity, Timestamp};
use mec_query::Search;
use mec_query::ast::SearchKind;
use mec_query::plan::regex;
use mec_query::rows::{Cell, local_time, time_text};
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Result};
use uuid::Uuid;

use super::json;
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
    add("mec_time", 1, |of| Ok(Value::Text(at(of)?.to_string())))?;
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
        Ok(truth(if any_case {
            is_like(&pattern.to_lowercase(), &held.to_lowercase())
        } else {
            is_like(pattern, held)
        }))
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

fn half_away(millionths: i128) -> i128 {
    let half = if millionths < 0 { -500_000 } else { 500_000 };
    (millionths + half) / 1_000_000
}

/// SQL's LIKE: `%` for any letters, `_` for one, and a backslash before either of them itself.
fn is_like(pattern: &str, text: &str) -> bool {
    let pattern = letters(pattern);
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut from) = (0, 0);
    // Where to go on when what follows the last `%` does not fit: it takes one letter more.
    let mut again = None;
    while from < text.len() {
        match (pattern.get(at), text.get(from)) {
            (Some(Letter::Any), _) => {
                again = Some((at + 1, from + 1));
                at += 1;
            }
            (Some(Letter::One), _) => {
                at += 1;
                from += 1;
            }
            (Some(Letter::Is(wanted)), Some(held)) if wanted == held => {
                at += 1;
                from += 1;
            }
            _ => match again {
                Some((after, next)) => {
                    at = after;
                    from = next;
                    again = Some((after, next + 1));
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(at).all(|letter| *letter == Letter::Any)
}

#[derive(Eq, PartialEq)]
enum Letter {
    Any,
    One,
    Is(char),
}

fn letters(pattern: &str) -> Vec<Letter> {
    let mut letters = Vec::new();
    let mut rest = pattern.chars();
    while let Some(letter) = rest.next() {
        letters.push(match letter {
            '%' => Letter::Any,
            '_' => Letter::One,
            '\\' => match rest.next() {
                Some(letter) => Letter::Is(letter),
                None => break,
            },
            letter => Letter::Is(letter),
        });
    }
    letters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn likeness() {
        for (pattern, text, expected) in [
            ("a%", "abc", true),
            ("%c", "abc", true),
            ("%b%", "abc", true),
            ("a_c", "abc", true),
            ("a_", "abc", false),
            ("", "", true),
            ("", "a", false),
            ("%", "", true),
            ("a\\%", "a%", true),
            ("a\\%", "ab", false),
            ("%ab%ab", "abxab", true),
            ("%ab%ab", "ab", false),
            ("\u{e4}_", "\u{e4}\u{f6}", true),
        ] {
            assert_eq!(is_like(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn rounding_is_half_away_from_zero() {
        assert_eq!(half_away(1_500_000), 2);
        assert_eq!(half_away(-1_500_000), -2);
        assert_eq!(half_away(1_499_999), 1);
    }
}
