//! `select`: `id,label:name::text,plans!inner(*),...units(unit_name)`.
//!
//! `plans(count)`, the number of related rows as it was asked before there were aggregates, is an
//! embedding of a column "count": only who knows the relation's columns can tell the two apart.

use super::ParseError;
use super::bounds::{Counts, within_depth};
use super::column::path;
use super::cursor::{Cursor, Name};
use crate::ast::{Column, Item};
use crate::names::AGGREGATES;

/// All items; none where nothing is said.
pub(super) fn select(text: &str, counts: &mut Counts) -> Result<Vec<Item>, ParseError> {
    let mut cursor = Cursor::new("select parameter", text);
    let items = items(&mut cursor, counts, 0)?;
    cursor.require_end("a comma (,), the end, or what may follow a name: :: ! ( or ->")?;
    Ok(items)
}

fn items(
    cursor: &mut Cursor<'_>,
    counts: &mut Counts,
    depth: usize,
) -> Result<Vec<Item>, ParseError> {
    within_depth(depth, "embeddings")?;
    let mut items = Vec::new();
    cursor.skip_spaces();
    if cursor.is_done() || cursor.is_at(")") {
        return Ok(items);
    }
    loop {
        counts.add_item()?;
        items.push(item(cursor, counts, depth)?);
        cursor.skip_spaces();
        if !cursor.eat(",") {
            return Ok(items);
        }
    }
}

fn item(cursor: &mut Cursor<'_>, counts: &mut Counts, depth: usize) -> Result<Item, ParseError> {
    cursor.skip_spaces();
    if cursor.eat("*") {
        return Ok(Item::All);
    }
    if cursor.eat("...") {
        let relation = cursor.name()?.text;
        let embedding = Embedding::after(relation, cursor)?;
        return embedding.with_select(None, true, cursor, counts, depth);
    }
    let mut name = cursor.name()?;
    let mut alias = None;
    if cursor.is_at(":") && !cursor.is_at("::") {
        cursor.eat(":");
        alias = Some(name.text);
        name = cursor.name()?;
    }
    if name.is_word("count") && cursor.eat("(") {
        cursor.require(")", "count(), which has nothing in its parentheses")?;
        cast(cursor)?;
        return Ok(Item::Aggregate {
            alias,
            column: None,
            function: name.text,
        });
    }
    cursor.skip_spaces();
    if cursor.is_at("!") || cursor.is_at("(") {
        let embedding = Embedding::after(name.text, cursor)?;
        return embedding.with_select(alias, false, cursor, counts, depth);
    }
    column(cursor, alias, name)
}

fn column(cursor: &mut Cursor<'_>, alias: Option<String>, name: Name) -> Result<Item, ParseError> {
    let name = name.text;
    let path = path(cursor)?;
    let column = Column { name, path };
    let cast = cast(cursor)?;
    if !cursor.eat(".") {
        return Ok(Item::Column {
            alias,
            column,
            cast,
        });
    }
    // The types before and after an aggregate are read but not kept, as it is refused whatever they are.
    let start = *cursor;
    let word = cursor.take_while(|letter| letter.is_ascii_alphabetic());
    if !AGGREGATES.contains(&word) || !cursor.eat("()") {
        let expected = "sum(), avg(), count(), max() or min()";
        let hint = "A column of a related relation is written relation(column).";
        return Err(start.error(expected).with_hint(hint));
    }
    self::cast(cursor)?;
    Ok(Item::Aggregate {
        alias,
        column: Some(column),
        function: word.to_owned(),
    })
}

fn cast(cursor: &mut Cursor<'_>) -> Result<Option<String>, ParseError> {
    if !cursor.eat("::") {
        return Ok(None);
    }
    Ok(Some(cursor.name()?.text))
}

/// `relation!hint!inner`, before its parentheses.
struct Embedding {
    relation: String,
    hint: Option<String>,
    is_inner: bool,
}

impl Embedding {
    fn after(relation: String, cursor: &mut Cursor<'_>) -> Result<Self, ParseError> {
        let mut hint = None;
        let mut join = None;
        while cursor.eat("!") {
            let start = *cursor;
            let name = cursor.name()?;
            let is_inner = name.is_word("inner");
            let is_again = if is_inner || name.is_word("left") {
                join.replace(is_inner).is_some()
            } else {
                hint.replace(name.text).is_some()
            };
            if is_again {
                return Err(start.error("one hint, and one of !inner and !left"));
            }
            cursor.skip_spaces();
        }
        Ok(Self {
            relation,
            hint,
            is_inner: join.unwrap_or(false),
        })
    }

    fn with_select(
        self,
        alias: Option<String>,
        is_spread: bool,
        cursor: &mut Cursor<'_>,
        counts: &mut Counts,
        depth: usize,
    ) -> Result<Item, ParseError> {
        cursor.skip_spaces();
        cursor.require("(", "what is selected of the relation, in parentheses")?;
        let select = items(cursor, counts, depth + 1)?;
        cursor.require(")", "a comma (,) or a closing parenthesis")?;
        Ok(Item::Embed {
            alias,
            relation: self.relation,
            hint: self.hint,
            is_inner: self.is_inner,
            is_spread,
            select,
        })
    }
}
