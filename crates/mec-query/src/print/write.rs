//! Names, values and operators, with quotes where they are needed.

use crate::ast::{Column, Operand, Operator};
use crate::names::{COMPARISONS, SEARCHES, TRUTHS, is_of_name, word};

/// What a key may not be called without quotes, for then it means something else.
const KEY_WORDS: [&str; 9] = [
    "select",
    "columns",
    "on_conflict",
    "order",
    "limit",
    "offset",
    "and",
    "or",
    "not",
];

/// What a relation or its hint may not be called without quotes.
const RELATION_WORDS: [&str; 3] = ["count", "inner", "left"];

pub(super) fn name(text: &str) -> String {
    let is_edge = |letter: Option<char>| {
        letter.is_some_and(|letter| is_of_name(letter) && !letter.is_whitespace())
    };
    let is_bare = is_edge(text.chars().next())
        && is_edge(text.chars().next_back())
        && text
            .chars()
            .all(|letter| is_of_name(letter) || letter == '-');
    if is_bare {
        text.to_owned()
    } else {
        quoted(text)
    }
}

pub(super) fn key_name(text: &str) -> String {
    name_beside(text, &KEY_WORDS)
}

pub(super) fn relation(text: &str) -> String {
    name_beside(text, &RELATION_WORDS)
}

fn name_beside(text: &str, words: &[&str]) -> String {
    if words.contains(&text) {
        quoted(text)
    } else {
        name(text)
    }
}

pub(super) fn column(column: &Column) -> String {
    name(&column.name) + &path(column)
}

pub(super) fn column_of_key(column: &Column) -> String {
    key_name(&column.name) + &path(column)
}

fn path(column: &Column) -> String {
    let mut text = String::new();
    for step in &column.path {
        text.push_str(if step.is_text { "->>" } else { "->" });
        let digits = step.key.strip_prefix('-').unwrap_or_default();
        if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            text.push_str(&step.key);
        } else {
            text.push_str(&name(&step.key));
        }
    }
    text
}

fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{escaped}\"")
}

/// A value of a list or of a term within `and` or `or`.
fn element(text: &str) -> String {
    let needs_quotes = |letter: char| ",:()\"\\{}".contains(letter) || letter.is_whitespace();
    if text.is_empty() || text.contains(needs_quotes) {
        quoted(text)
    } else {
        text.to_owned()
    }
}

fn array(elements: &[String]) -> String {
    let texts: Vec<String> = elements
        .iter()
        .map(|text| match text.eq_ignore_ascii_case("null") {
            true => quoted(text),
            false => element(text),
        })
        .collect();
    format!("{{{}}}", texts.join(","))
}

/// An operator with its value, which is quoted where it stands within `and` or `or`.
pub(super) fn operator(operator: &Operator, is_within: bool) -> String {
    let value = |text: &str| match is_within {
        true => element(text),
        false => text.to_owned(),
    };
    match operator {
        Operator::Compare {
            comparison,
            operand,
        } => {
            let name = word(&COMPARISONS, *comparison);
            match operand {
                Operand::One(text) => format!("{name}.{}", value(text)),
                Operand::Any(texts) => format!("{name}(any).{}", array(texts)),
                Operand::All(texts) => format!("{name}(all).{}", array(texts)),
            }
        }
        Operator::In(texts) => {
            let texts: Vec<String> = texts.iter().map(|text| element(text)).collect();
            format!("in.({})", texts.join(","))
        }
        Operator::Is(truth) => format!("is.{}", word(&TRUTHS, *truth)),
        Operator::IsDistinct(text) => format!("isdistinct.{}", value(text)),
        Operator::Search {
            kind,
            configuration,
            query,
        } => {
            let configuration = configuration
                .as_deref()
                .map(|text| format!("({})", name(text)));
            let configuration = configuration.unwrap_or_default();
            format!("{}{configuration}.{}", word(&SEARCHES, *kind), value(query))
        }
        Operator::OfRanges { name, value: text } => format!("{name}.{}", value(text)),
    }
}
