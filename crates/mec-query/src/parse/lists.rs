//! Values: alone, in the list of `in`, and in the array of `any` and `all`.

use super::ParseError;
use super::bounds::{MAX_ELEMENTS, at_most};
use super::cursor::Cursor;

const END_OF_ELEMENT: &str = "a comma (,) or a closing parenthesis";

/// Where a value stands, which says where it ends.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Place {
    /// `column=eq.value`: at the end of the text.
    Alone,
    /// `or=(column.eq.value,...)`: at a comma or a closing parenthesis, unless it is quoted.
    Within,
}

pub(super) fn value(cursor: &mut Cursor<'_>, place: Place) -> Result<String, ParseError> {
    match place {
        Place::Alone => Ok(cursor.take_rest().to_owned()),
        Place::Within if cursor.is_at("{") => braced(cursor),
        Place::Within => Ok(element(cursor)),
    }
}

/// A value in quotes, or all up to a comma or a closing parenthesis. What continues after the
/// closing quote is no quoted value; its quotes are letters like others.
fn element(cursor: &mut Cursor<'_>) -> String {
    let before = *cursor;
    if let Some(text) = cursor.quoted() {
        if cursor.is_at_end_of_element() {
            return text;
        }
        *cursor = before;
    }
    let text = cursor.take_while(|letter| !matches!(letter, ',' | ')'));
    text.to_owned()
}

/// `{...}` whole, as it is written, with the braces and quotes within.
fn braced(cursor: &mut Cursor<'_>) -> Result<String, ParseError> {
    let before = *cursor;
    let hint = "A value that begins with { and is no array is put in quotes.";
    let mut depth = 0_usize;
    loop {
        if cursor.is_at("\"") {
            let closing = "a closing quote (\")";
            let quoted = cursor.quoted();
            quoted.ok_or_else(|| cursor.error(closing).with_hint(hint))?;
            continue;
        }
        match cursor.next() {
            Some('{') => depth += 1,
            Some('}') => depth = depth.saturating_sub(1),
            Some(_) => {}
            None => return Err(cursor.error("a closing brace (})").with_hint(hint)),
        }
        if depth == 0 {
            return Ok(cursor.since(&before).to_owned());
        }
    }
}

/// `(a,"b,c")`. `()` has no element, and `("")` has one, an empty text.
pub(super) fn list(cursor: &mut Cursor<'_>) -> Result<Vec<String>, ParseError> {
    cursor.skip_spaces();
    cursor.require("(", "a list in parentheses")?;
    cursor.skip_spaces();
    let mut elements = Vec::new();
    if cursor.eat(")") {
        return Ok(elements);
    }
    loop {
        elements.push(element(cursor));
        at_most(elements.len(), MAX_ELEMENTS, "elements in one list")?;
        if cursor.eat(")") {
            return Ok(elements);
        }
        cursor.require(",", END_OF_ELEMENT)?;
    }
}

/// The elements of a PostgreSQL array `{a,"b,c"}`, which may as a whole stand in quotes where it
/// is a term of `and` or `or`.
pub(super) fn array(cursor: &mut Cursor<'_>, place: Place) -> Result<Vec<String>, ParseError> {
    if place == Place::Within && cursor.is_at("\"") {
        let closing = "a closing quote (\")";
        let text = cursor.quoted().ok_or_else(|| cursor.error(closing))?;
        let mut inner = Cursor::new("array", &text);
        let elements = braced_elements(&mut inner)?;
        inner.require_end("end of input")?;
        return Ok(elements);
    }
    braced_elements(cursor)
}

fn braced_elements(cursor: &mut Cursor<'_>) -> Result<Vec<String>, ParseError> {
    cursor.require("{", "an array ({a,b})")?;
    cursor.skip_spaces();
    let mut elements = Vec::new();
    if cursor.eat("}") {
        return Ok(elements);
    }
    loop {
        elements.push(array_element(cursor)?);
        at_most(elements.len(), MAX_ELEMENTS, "elements in one list")?;
        if cursor.eat("}") {
            return Ok(elements);
        }
        cursor.require(",", "a comma (,) or a closing brace (})")?;
    }
}

fn array_element(cursor: &mut Cursor<'_>) -> Result<String, ParseError> {
    cursor.skip_spaces();
    if cursor.is_at("\"") {
        let closing = "a closing quote (\")";
        let text = cursor.quoted().ok_or_else(|| cursor.error(closing))?;
        cursor.skip_spaces();
        return Ok(text);
    }
    let before = *cursor;
    let mut text = String::new();
    let mut kept = 0;
    while let Some(letter) = cursor.peek() {
        match letter {
            ',' | '}' => break,
            '{' | '"' => return Err(cursor.error("an element without quotes and braces within")),
            '\\' => {
                cursor.next();
                text.extend(cursor.next());
                kept = text.len();
            }
            letter => {
                cursor.next();
                text.push(letter);
            }
        }
    }
    // Spaces around an element are none of it, but one after a backslash is.
    text.truncate(kept.max(text.trim_end_matches([' ', '\t']).len()));
    if text.is_empty() {
        return Err(cursor.error("an element; an empty one is written \"\""));
    }
    if cursor.since(&before).trim().eq_ignore_ascii_case("null") {
        let hint = "No comparison with null holds: leave it out, or put the word in quotes.";
        return Err(before.error("an element that is not null").with_hint(hint));
    }
    Ok(text)
}
