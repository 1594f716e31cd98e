//! Conditions that are joined: `or=(a.eq.1,not.and(b.gt.2,c.is.null))`.

use super::ParseError;
use super::bounds::{Counts, within_depth};
use super::column::column;
use super::cursor::Cursor;
use super::filter::operator;
use super::lists::Place;
use crate::ast::Condition;

/// `(term,...)`, of which there is one at the least.
pub(super) fn terms(
    cursor: &mut Cursor<'_>,
    counts: &mut Counts,
    depth: usize,
) -> Result<Vec<Condition>, ParseError> {
    within_depth(depth, "conditions")?;
    cursor.skip_spaces();
    cursor.require("(", "conditions in parentheses")?;
    let mut terms = Vec::new();
    loop {
        terms.push(term(cursor, counts, depth)?);
        cursor.skip_spaces();
        if cursor.eat(")") {
            return Ok(terms);
        }
        cursor.require(",", "a comma (,) or a closing parenthesis")?;
    }
}

fn term(
    cursor: &mut Cursor<'_>,
    counts: &mut Counts,
    depth: usize,
) -> Result<Condition, ParseError> {
    counts.add_term()?;
    cursor.skip_spaces();
    // A column may be called "and", "or" or "not" too: then an operator follows.
    let start = *cursor;
    let is_negated = cursor.eat("not.");
    let is_or = cursor.eat("or");
    if is_or || cursor.eat("and") {
        cursor.skip_spaces();
        if cursor.is_at("(") {
            let terms = terms(cursor, counts, depth + 1)?;
            return Ok(Condition::Logic {
                is_negated,
                is_or,
                terms,
            });
        }
    }
    *cursor = start;
    let column = column(cursor)?;
    cursor.require(".", "delimiter (.)")?;
    let (is_negated, operator) = operator(cursor, Place::Within)?;
    Ok(Condition::Test {
        column,
        is_negated,
        operator,
    })
}
