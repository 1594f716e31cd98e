//! A column, perhaps with a way into its JSON: `details->tags->>0`.

use super::ParseError;
use super::bounds::within_depth;
use super::cursor::Cursor;
use crate::ast::{Column, Step};

pub(super) fn column(cursor: &mut Cursor<'_>) -> Result<Column, ParseError> {
    let name = cursor.name()?.text;
    let path = path(cursor)?;
    Ok(Column { name, path })
}

/// All steps that stand here; may be none.
pub(super) fn path(cursor: &mut Cursor<'_>) -> Result<Vec<Step>, ParseError> {
    let mut steps = Vec::new();
    loop {
        let is_text = cursor.eat("->>");
        if !is_text && !cursor.eat("->") {
            return Ok(steps);
        }
        let key = key(cursor)?;
        steps.push(Step { key, is_text });
        within_depth(steps.len(), "a way into JSON")?;
    }
}

fn key(cursor: &mut Cursor<'_>) -> Result<String, ParseError> {
    let expected = "the key of an object or the index of an array";
    let before = *cursor;
    if cursor.eat("-") {
        let digits = cursor.take_while(|letter| letter.is_ascii_digit());
        if digits.is_empty() {
            return Err(cursor.error(expected));
        }
        return Ok(cursor.since(&before).to_owned());
    }
    let allowed = |letter| !matches!(letter, '(' | ')' | '-' | ':' | '.' | ',' | '>');
    Ok(cursor.name_of(allowed, expected)?.text)
}
