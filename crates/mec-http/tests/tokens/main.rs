//! Who is let in: tokens signed by secrets and by an issuer, bad tokens as data, and how keys come and go.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "../support/mod.rs"]
mod support;

mod api_keys;
mod bad_tokens;
mod issuer;
mod secrets;
mod signing;
