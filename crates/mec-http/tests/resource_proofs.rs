//! Proofs about reading resources, on both stores: that the schema is what the stores have, that nobody sees
//! what is another's, that filters, orders and pages are those of a naive reading of the rows, and that no
//! query string breaks anything.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[path = "resource_proofs/cases.rs"]
mod cases;
#[path = "resource_proofs/database.rs"]
mod database;
#[path = "resource_proofs/fuzz.rs"]
mod fuzz;
#[path = "resource_proofs/judge.rs"]
mod judge;
#[path = "resource_proofs/naive.rs"]
mod naive;
#[path = "resource_proofs/paging.rs"]
mod paging;
#[path = "resource_proofs/related.rs"]
mod related;
#[path = "resource_proofs/rows.rs"]
mod rows;
#[path = "resource_proofs/shape.rs"]
mod shape;
#[path = "resource_proofs/slow.rs"]
mod slow;
mod support;
#[path = "resource_proofs/truth.rs"]
mod truth;
#[path = "resource_proofs/walls.rs"]
mod walls;
#[path = "resource_proofs/world.rs"]
mod world;
