//! What bounds clients: how often they send, how large, and how much of it is worked on at once.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[path = "limits/budgets.rs"]
mod budgets;
#[path = "limits/rates.rs"]
mod rates;
#[path = "limits/sizes.rs"]
mod sizes;
mod support;
