//! Writing resources in PostgREST's language, on both stores: every verb of every resource, what a write
//! refuses and then leaves as it was, and what checks, audits and other writers see of it.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod answers;
mod api;
mod atomic;
mod bodies;
mod checks;
mod matrix;
mod races;
mod roles;
#[path = "../support/mod.rs"]
mod support;
mod upserts;
mod uses;
