//! The language of the resources API, which is PostgREST's: what a query string asks of which rows.
//!
//! Pure stages, each with its own types: [`parse`] reads a query string into the tree of [`ast`], where
//! names are not resolved and values are texts; [`plan`] resolves them against the [`schema`] and types
//! the values; [`sql`] writes a plan in the dialect of a store, which answers [`rows`]. Rows that no store holds
//! are asked by [`eval`]. [`print`] writes a
//! tree back as a query string.
#![forbid(unsafe_code)]

pub mod ast;
pub mod eval;
pub mod json;
pub mod like;
mod names;
mod near;
pub mod parse;
pub mod plan;
pub mod print;
mod role;
pub mod rows;
pub mod schema;
pub mod sql;
mod words;

pub use near::nearest;
pub use role::Role;
pub use words::Search;
