//! How much one query may ask.

use super::ParseError;

/// Pairs of a query string.
pub const MAX_PAIRS: usize = 100;
/// How deep conditions, embeddings and the ways into JSON and to embeddings may be.
pub const MAX_DEPTH: usize = 10;
/// Filters, conditions within `and` and `or` (and these), and terms of `order`, all together.
pub const MAX_TERMS: usize = 100;
/// Items of `select` with those of all embeddings; also the names of `columns` and of `on_conflict`.
pub const MAX_ITEMS: usize = 100;
/// Elements of one list of values.
pub const MAX_ELEMENTS: usize = 1_000;
/// Letters of a name: of a column, a relation, a key of JSON, a type.
pub const MAX_NAME_LETTERS: usize = 128;

/// What has been read of that which counts over a whole query.
#[derive(Default)]
pub(super) struct Counts {
    terms: usize,
    items: usize,
}

impl Counts {
    pub(super) fn add_term(&mut self) -> Result<(), ParseError> {
        self.terms += 1;
        at_most(self.terms, MAX_TERMS, "filters and terms of order")
    }

    pub(super) fn add_item(&mut self) -> Result<(), ParseError> {
        self.items += 1;
        at_most(self.items, MAX_ITEMS, "items of select")
    }
}

/// Refuses a `count` beyond `limit`.
pub(super) fn at_most(count: usize, limit: usize, things: &str) -> Result<(), ParseError> {
    if count <= limit {
        return Ok(());
    }
    Err(ParseError::too_much(format!(
        "the query string has more than {limit} {things}"
    )))
}

/// Refuses what is nested too deep.
pub(super) fn within_depth(depth: usize, things: &str) -> Result<(), ParseError> {
    if depth <= MAX_DEPTH {
        return Ok(());
    }
    Err(ParseError::too_much(format!(
        "the query string has {things} deeper than {MAX_DEPTH} levels"
    )))
}
