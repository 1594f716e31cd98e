//! `order`, and lists of names.

use super::ParseError;
use super::bounds::{Counts, MAX_ITEMS, at_most};
use super::column::{column, path};
use super::cursor::Cursor;
use crate::ast::{Column, OrderTerm};

/// `a.desc.nullslast,relation(b)`
pub(super) fn order(text: &str, counts: &mut Counts) -> Result<Vec<OrderTerm>, ParseError> {
    let mut cursor = Cursor::new("order", text);
    let mut terms = Vec::new();
    loop {
        counts.add_term()?;
        terms.push(term(&mut cursor)?);
        cursor.skip_spaces();
        if !cursor.eat(",") {
            let expected = ".asc, .desc, .nullsfirst, .nullslast, a comma (,) or the end";
            cursor.require_end(expected)?;
            return Ok(terms);
        }
    }
}

fn term(cursor: &mut Cursor<'_>) -> Result<OrderTerm, ParseError> {
    let name = cursor.name()?.text;
    let (relation, column) = if cursor.eat("(") {
        let column = column(cursor)?;
        cursor.skip_spaces();
        cursor.require(")", "a closing parenthesis")?;
        (Some(name), column)
    } else {
        let path = path(cursor)?;
        (None, Column { name, path })
    };
    let is_descending = cursor.eat(".desc");
    if !is_descending {
        cursor.eat(".asc");
    }
    let nulls_first = if cursor.eat(".nullsfirst") {
        Some(true)
    } else if cursor.eat(".nullslast") {
        Some(false)
    } else {
        None
    };
    Ok(OrderTerm {
        relation,
        column,
        is_descending,
        nulls_first,
    })
}

/// The names of `columns` or `on_conflict`. Of none nothing is said: the Python client sends
/// `columns=` along with an empty array.
pub(super) fn names(subject: &'static str, text: &str) -> Result<Option<Vec<String>>, ParseError> {
    let mut cursor = Cursor::new(subject, text);
    let mut names = Vec::new();
    cursor.skip_spaces();
    if cursor.is_done() {
        return Ok(None);
    }
    loop {
        names.push(cursor.name()?.text);
        at_most(names.len(), MAX_ITEMS, "columns in one list")?;
        cursor.skip_spaces();
        if !cursor.eat(",") {
            cursor.require_end("a comma (,) or the end")?;
            return Ok(Some(names));
        }
    }
}
