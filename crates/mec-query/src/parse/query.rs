//! The whole of a query string: what each key means, and where its value belongs.

use super::ParseError;
use super::bounds::{Counts, MAX_PAIRS, at_most, within_depth};
use super::column::path;
use super::cursor::Cursor;
use super::filter::operator;
use super::lists::Place;
use super::logic::terms;
use super::order::{names, order};
use super::select::select;
use crate::ast::{Column, Condition, Part, Query};

/// Reads decoded keys and values.
///
/// # Errors
/// What the grammar does not allow, or more than the bounds of this module allow.
pub fn parse(pairs: impl IntoIterator<Item = (String, String)>) -> Result<Query, ParseError> {
    let mut reading = Reading::default();
    for (index, (key, value)) in pairs.into_iter().enumerate() {
        at_most(index + 1, MAX_PAIRS, "parameters")?;
        reading.pair(&key, &value)?;
    }
    Ok(reading.query)
}

#[derive(Default)]
struct Reading {
    query: Query,
    counts: Counts,
    has_select: bool,
}

impl Reading {
    fn pair(&mut self, key: &str, value: &str) -> Result<(), ParseError> {
        match key {
            // Of these three the first one counts, as in PostgREST; the clients send one at the most.
            "select" if self.has_select => Ok(()),
            "columns" if self.query.columns.is_some() => Ok(()),
            "on_conflict" if self.query.on_conflict.is_some() => Ok(()),
            "select" => {
                self.has_select = true;
                self.query.select = select(value, &mut self.counts)?;
                Ok(())
            }
            "columns" => {
                self.query.columns = names("columns parameter", value)?;
                Ok(())
            }
            "on_conflict" => {
                self.query.on_conflict = names("on_conflict parameter", value)?;
                Ok(())
            }
            _ => self.of_part(key, value),
        }
    }

    /// What belongs to the resource itself or to an embedding. Its last word says what it is; a
    /// column that is called like such a word is put in quotes.
    fn of_part(&mut self, key: &str, value: &str) -> Result<(), ParseError> {
        let (head, word) = match key.rsplit_once('.') {
            Some((head, word)) => (Some(head), word),
            None => (None, key),
        };
        match word {
            "order" => {
                let terms = order(value, &mut self.counts)?;
                self.part(embedding(head)?).order.extend(terms);
            }
            "limit" => {
                let path = embedding(head)?;
                if let Some(number) = number(value) {
                    self.part(path).limit = Some(number);
                }
            }
            "offset" => {
                let path = embedding(head)?;
                if let Some(number) = number(value) {
                    self.part(path).offset = Some(number);
                }
            }
            "and" | "or" => self.logic(head, word == "or", value)?,
            _ => self.filter(key, value)?,
        }
        Ok(())
    }

    fn part(&mut self, path: Vec<String>) -> &mut Part {
        self.query.parts.entry(path).or_default()
    }

    fn logic(&mut self, head: Option<&str>, is_or: bool, value: &str) -> Result<(), ParseError> {
        let (is_negated, head) = match head {
            Some("not") => (true, None),
            Some(head) => match head.strip_suffix(".not") {
                Some(rest) => (true, Some(rest)),
                None => (false, Some(head)),
            },
            None => (false, None),
        };
        let path = embedding(head)?;
        self.counts.add_term()?;
        let mut cursor = Cursor::new("logic tree", value);
        let terms = terms(&mut cursor, &mut self.counts, 1)?;
        cursor.skip_spaces();
        cursor.require_end("the end after the closing parenthesis")?;
        let condition = Condition::Logic {
            is_negated,
            is_or,
            terms,
        };
        self.part(path).filters.push(condition);
        Ok(())
    }

    fn filter(&mut self, key: &str, value: &str) -> Result<(), ParseError> {
        let mut cursor = Cursor::new("tree path", key);
        let mut names = dotted(&mut cursor)?;
        let path = path(&mut cursor)?;
        cursor.require_end("a delimiter (.), an arrow (-> or ->>) or the end")?;
        let name = names.pop().unwrap_or_default();
        self.counts.add_term()?;
        let mut cursor = Cursor::new("filter", value);
        let (is_negated, operator) = operator(&mut cursor, Place::Alone)?;
        cursor.require_end("the end of the value")?;
        let column = Column { name, path };
        self.part(names).filters.push(Condition::Test {
            column,
            is_negated,
            operator,
        });
        Ok(())
    }
}

/// The names that lead to an embedding; none lead to the resource itself.
fn embedding(head: Option<&str>) -> Result<Vec<String>, ParseError> {
    let Some(head) = head else {
        return Ok(Vec::new());
    };
    let mut cursor = Cursor::new("tree path", head);
    let names = dotted(&mut cursor)?;
    cursor.require_end("a delimiter (.) or the end")?;
    within_depth(names.len(), "embeddings")?;
    Ok(names)
}

/// `a.b."c.d"`; one name at the least.
fn dotted(cursor: &mut Cursor<'_>) -> Result<Vec<String>, ParseError> {
    let mut names = Vec::new();
    loop {
        names.push(cursor.name()?.text);
        // The last name of a filter is its column.
        within_depth(names.len().saturating_sub(1), "embeddings")?;
        if !cursor.eat(".") {
            return Ok(names);
        }
    }
}

/// A whole number. Of what is none nothing is said, as in PostgREST; what is too large is the largest.
fn number(text: &str) -> Option<i64> {
    let text = text.trim();
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let largest = if text == digits { i64::MAX } else { i64::MIN };
    Some(text.parse().unwrap_or(largest))
}
