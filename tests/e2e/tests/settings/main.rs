//! Settings from outside: where they come from, which are refused, what is taken over while the server runs, and
//! what `mec doctor` says of an installation.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

#[path = "../support/mod.rs"]
mod support;

mod doctor;
mod given;
mod reload;
