//! What many nodes on one database can be caught by, each made certain: whoever is to be overtaken is
//! held by a lock, or by a proxy that knows what is under way.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod catalogues;
mod clocks;
mod commits;
mod failed;
mod keys;
mod late;
mod moves;
mod names;
mod proxy;
mod summaries;
mod world;
