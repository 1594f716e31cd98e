//! The server as the network sees it: TLS and its renewal, sockets, slow clients, many clients, the headers
//! of its answers, and its end.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod headers;
mod many;
mod raw;
mod refused;
mod slow;
mod sockets;
mod stopping;
#[path = "../support/mod.rs"]
mod support;
mod tls;
