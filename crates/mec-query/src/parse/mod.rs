//! A query string becomes the tree of [`crate::ast`], in one pass and within bounds.
//!
//! Where PostgREST drops what follows a complete value (`is.nullable`) and a key without `=`, this
//! refuses it: a filter that is not understood must not become a wider one. The arrays of `any` and
//! `all`, which PostgREST leaves to the database, are read here; one of arrays or with a null in it is
//! refused. Within `and` and `or`, braces and quotes within `{...}` need no further quotes.

mod bounds;
mod column;
mod cursor;
mod error;
mod filter;
mod lists;
mod logic;
mod order;
mod pairs;
mod query;
mod select;

pub use bounds::{MAX_DEPTH, MAX_ELEMENTS, MAX_ITEMS, MAX_NAME_LETTERS, MAX_PAIRS, MAX_TERMS};
pub use error::ParseError;
pub use pairs::pairs;
pub use query::parse;
