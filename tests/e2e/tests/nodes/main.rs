//! Many real nodes on one PostgreSQL database: hunted for an over-grant, and hurt in every way that a
//! network and an operating system know.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

#[path = "../support/mod.rs"]
mod support;

mod client;
mod faults;
mod fresh;
mod history;
mod hunt;
mod ready;
mod settings;
mod world;
