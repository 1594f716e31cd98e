//! The language of the resources API, which is PostgREST's: what a query string asks of which rows.
//!
//! Pure stages, each with its own types: [`parse`] reads a query string into the tree of [`ast`], where
//! names are not resolved and values are texts.
#![forbid(unsafe_code)]

pub mod ast;
