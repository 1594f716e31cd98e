//! A naive reading of filters and orders: over the rows as JSON, from the query's tree, in three values.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use mec_query::ast::{Column, Comparison, Condition, Operand, Operator, OrderTerm, Truth};
use serde_json::Value;
use serde_json::value::RawValue;

/// A row as it was answered: each column's JSON as it is written.
pub type Row = BTreeMap<String, Box<RawValue>>;

/// What a column holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    Text,
    Uuid,
    Whole,
    Decimal,
    Boolean,
    Time,
    Json,
}

/// A value that can be compared.
#[derive(Clone, Debug, PartialEq)]
pub enum Held {
    Text(String),
    /// In millionths of millionths.
    Number(i128),
    Boolean(bool),
    Json(Value),
}

impl Held {
    fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Text(left), Self::Text(right)) => left.as_bytes().cmp(right.as_bytes()),
            (Self::Number(left), Self::Number(right)) => left.cmp(right),
            (Self::Boolean(left), Self::Boolean(right)) => left.cmp(right),
            (left, right) => panic!("{left:?} and {right:?} have no order"),
        }
    }

    fn text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            other => panic!("{other:?} is no text"),
        }
    }
}

/// A decimal in millionths of millionths.
fn number(text: &str) -> i128 {
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let number: i128 = format!("{whole}{fraction:0<12}").parse().unwrap();
    if is_negative { -number } else { number }
}

/// A moment in microseconds, from `2026-05-04T10:00:00.5+02:00`.
pub fn moment(text: &str) -> i64 {
    let part = |range: std::ops::Range<usize>| text[range].parse::<i64>().unwrap();
    let (year, month, day) = (part(0..4), part(5..7), part(8..10));
    // Days since 1970, with the year beginning in March.
    let shifted = if month > 2 { year } else { year - 1 };
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = 365 * shifted + shifted / 4 - shifted / 100 + shifted / 400 + of_year - 719_468;
    let rest = &text[19..];
    let zone = rest.find(['+', '-']).unwrap();
    let fraction = rest[..zone].trim_start_matches('.');
    let micros: i64 = format!("{fraction:0<6}").parse().unwrap();
    let (hours, minutes) = rest[zone + 1..].split_once(':').unwrap();
    let offset = hours.parse::<i64>().unwrap() * 60 + minutes.parse::<i64>().unwrap();
    let offset = if rest.as_bytes()[zone] == b'-' {
        -offset
    } else {
        offset
    };
    let seconds = days * 86_400 + part(11..13) * 3_600 + part(14..16) * 60 + part(17..19);
    (seconds - offset * 60) * 1_000_000 + micros
}

/// What a row holds at a column; none for null.
pub fn held(row: &Row, column: &Column, kind: Kind) -> Option<Held> {
    let json = row[&column.name].get();
    let value: Value = serde_json::from_str(json).unwrap();
    let mut found = Some(&value);
    // No row holds the JSON null itself.
    if value.is_null() {
        return None;
    }
    for step in &column.path {
        found = found.and_then(|value| match (value, step.key.parse::<i64>()) {
            (Value::Array(elements), Ok(index)) => {
                let length = i64::try_from(elements.len()).unwrap();
                let index = if index < 0 { length + index } else { index };
                usize::try_from(index)
                    .ok()
                    .and_then(|index| elements.get(index))
            }
            (Value::Object(members), Err(_)) => members.get(&step.key),
            // As in PostgreSQL, a plain value is an array of itself.
            (Value::Object(_), Ok(_)) | (_, Err(_)) => None,
            (plain, Ok(index)) => [0, -1].contains(&index).then_some(plain),
        });
    }
    let found = found?;
    Some(match kind {
        Kind::Json => Held::Json(found.clone()),
        Kind::Text if !column.path.is_empty() => Held::Text(match found {
            Value::Null => return None,
            Value::String(text) => text.clone(),
            other => as_jsonb(other),
        }),
        Kind::Text | Kind::Uuid => Held::Text(found.as_str().unwrap().to_owned()),
        Kind::Whole | Kind::Decimal => Held::Number(number(json)),
        Kind::Boolean => Held::Boolean(found.as_bool().unwrap()),
        Kind::Time => Held::Number(moment(found.as_str().unwrap()).into()),
    })
}

/// JSON as PostgreSQL writes a jsonb: short keys first, and spaces.
pub fn as_jsonb(value: &Value) -> String {
    match value {
        Value::Array(elements) => {
            let elements: Vec<String> = elements.iter().map(as_jsonb).collect();
            format!("[{}]", elements.join(", "))
        }
        Value::Object(members) => {
            let mut members: Vec<(&String, &Value)> = members.iter().collect();
            members.sort_by_key(|(key, _)| (key.len(), key.as_bytes()));
            let members = members
                .into_iter()
                .map(|(key, value)| format!("{}: {}", Value::from(key.as_str()), as_jsonb(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
        plain => plain.to_string(),
    }
}

/// A request's text in the type of what it is compared with.
fn literal(text: &str, kind: Kind) -> Held {
    match kind {
        Kind::Text | Kind::Uuid => Held::Text(text.to_owned()),
        Kind::Whole | Kind::Decimal => Held::Number(number(text)),
        Kind::Boolean => Held::Boolean(text.parse().unwrap()),
        Kind::Time => Held::Number(moment(text).into()),
        Kind::Json => Held::Json(serde_json::from_str(text).unwrap()),
    }
}

/// Whether a condition holds; none where that is unknown.
pub fn holds(row: &Row, condition: &Condition, kind: &impl Fn(&Column) -> Kind) -> Option<bool> {
    let (found, is_negated) = match condition {
        Condition::Logic {
            is_negated,
            is_or,
            terms,
        } => {
            let terms = terms.iter().map(|term| holds(row, term, kind));
            (together(terms.collect(), *is_or), *is_negated)
        }
        Condition::Test {
            column,
            is_negated,
            operator,
        } => {
            let kind = kind(column);
            (tests(held(row, column, kind), operator, kind), *is_negated)
        }
    };
    found.map(|found| found != is_negated)
}

/// One of them for `or`, all of them for `and`.
fn together(terms: Vec<Option<bool>>, is_or: bool) -> Option<bool> {
    if terms.contains(&Some(is_or)) {
        Some(is_or)
    } else if terms.contains(&None) {
        None
    } else {
        Some(!is_or)
    }
}

fn tests(held: Option<Held>, operator: &Operator, kind: Kind) -> Option<bool> {
    match operator {
        Operator::Is(truth) => Some(match truth {
            Truth::Null | Truth::Unknown => held.is_none(),
            Truth::NotNull => held.is_some(),
            Truth::True => held == Some(Held::Boolean(true)),
            Truth::False => held == Some(Held::Boolean(false)),
        }),
        Operator::IsDistinct(text) => Some(held != Some(literal(text, kind))),
        Operator::In(texts) if texts.is_empty() => Some(false),
        Operator::In(texts) => {
            let held = held?;
            Some(texts.iter().any(|text| literal(text, kind) == held))
        }
        Operator::Compare {
            comparison,
            operand,
        } => {
            let compare = |text: &String| {
                let held = held.as_ref()?;
                Some(compares(held, *comparison, text, kind))
            };
            match operand {
                Operand::One(text) => compare(text),
                Operand::Any(texts) => together(texts.iter().map(compare).collect(), true),
                Operand::All(texts) => together(texts.iter().map(compare).collect(), false),
            }
        }
        Operator::OfRanges { name, value } => {
            let Held::Json(held) = held? else {
                panic!("{name} is of JSON here");
            };
            let value: Value = serde_json::from_str(value).unwrap();
            Some(match name.as_str() {
                "cs" => contains(&held, &value),
                _ => contains(&value, &held),
            })
        }
        Operator::Search { .. } => panic!("searches have tests of their own"),
    }
}

/// Whether JSON holds other JSON; at the top an array also holds a plain value.
fn contains(holds: &Value, held: &Value) -> bool {
    fn within(holds: &Value, held: &Value) -> bool {
        match (holds, held) {
            (Value::Object(holds), Value::Object(held)) => held
                .iter()
                .all(|(key, value)| holds.get(key).is_some_and(|other| within(other, value))),
            (Value::Array(holds), Value::Array(held)) => held
                .iter()
                .all(|value| holds.iter().any(|other| within(other, value))),
            _ => holds == held,
        }
    }
    let is_plain = !held.is_array() && !held.is_object();
    let is_element = is_plain && holds.as_array().is_some_and(|all| all.contains(held));
    is_element || within(holds, held)
}

fn compares(held: &Held, comparison: Comparison, text: &str, kind: Kind) -> bool {
    let order = || held.order(&literal(text, kind));
    let lower = |text: &str| {
        text.chars()
            .flat_map(char::to_lowercase)
            .collect::<Vec<_>>()
    };
    let letters = |text: &str| text.chars().collect::<Vec<_>>();
    match comparison {
        Comparison::Equal => *held == literal(text, kind),
        Comparison::NotEqual => *held != literal(text, kind),
        Comparison::Greater => order().is_gt(),
        Comparison::GreaterOrEqual => order().is_ge(),
        Comparison::Less => order().is_lt(),
        Comparison::LessOrEqual => order().is_le(),
        Comparison::Like => is_like(&letters(&text.replace('*', "%")), &letters(held.text())),
        Comparison::ILike => is_like(&lower(&text.replace('*', "%")), &lower(held.text())),
        Comparison::Match => is_found(&letters(text), &letters(held.text())),
        Comparison::IMatch => is_found(&lower(text), &lower(held.text())),
    }
}

fn is_like(pattern: &[char], text: &[char]) -> bool {
    match pattern {
        [] => text.is_empty(),
        ['%', rest @ ..] => (0..=text.len()).any(|from| is_like(rest, &text[from..])),
        ['_', rest @ ..] => !text.is_empty() && is_like(rest, &text[1..]),
        ['\\', letter, rest @ ..] | [letter, rest @ ..] => {
            text.first() == Some(letter) && is_like(rest, &text[1..])
        }
    }
}

/// Of regular expressions: letters, `.`, either of them with `*`, and both anchors.
fn is_found(pattern: &[char], text: &[char]) -> bool {
    match pattern {
        ['^', rest @ ..] => is_here(rest, text),
        _ => (0..=text.len()).any(|from| is_here(pattern, &text[from..])),
    }
}

fn is_here(pattern: &[char], text: &[char]) -> bool {
    let fits = |wanted: &char, held: Option<&char>| {
        held.is_some() && (*wanted == '.' || Some(wanted) == held)
    };
    match pattern {
        [] => true,
        ['$'] => text.is_empty(),
        [letter, '*', rest @ ..] => {
            is_here(rest, text) || fits(letter, text.first()) && is_here(pattern, &text[1..])
        }
        [letter, rest @ ..] => fits(letter, text.first()) && is_here(rest, &text[1..]),
    }
}

/// The order of two rows by some terms.
pub fn order(
    left: &Row,
    right: &Row,
    terms: &[OrderTerm],
    kind: &impl Fn(&Column) -> Kind,
) -> Ordering {
    for term in terms {
        let kind = kind(&term.column);
        let pair = (
            held(left, &term.column, kind),
            held(right, &term.column, kind),
        );
        let nulls_first = term.nulls_first.unwrap_or(term.is_descending);
        let ordering = match pair {
            (None, None) => Ordering::Equal,
            (None, Some(_)) if nulls_first => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) if nulls_first => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (Some(left), Some(right)) if term.is_descending => right.order(&left),
            (Some(left), Some(right)) => left.order(&right),
        };
        if ordering.is_ne() {
            return ordering;
        }
    }
    Ordering::Equal
}
