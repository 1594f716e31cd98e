//! The embedded store: one SQLite file, owned by one process, written by one thread.
//!
//! Every commit is one transaction with `synchronous=FULL`: when it returns, its changes survive a
//! crash of the machine. Reads outside a batch go through connections of their own. Nothing here
//! decides; what is stored and how it is found stands in `sql/`.
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

mod amount;
mod api_keys;
mod batch;
mod catalogue;
mod commit;
mod config;
mod convert;
mod copy;
mod counter;
mod error;
mod folder;
mod load;
mod locate;
mod lookups;
mod migrate;
mod open;
mod query;
mod readers;
mod resources;
mod retention;
mod sql;
mod store;
mod values;
mod verify;
mod writer;

#[cfg(test)]
mod tests;

pub use batch::SqliteBatch;
pub use config::{DATABASE_FILE, SqliteConfig};
pub use copy::SqliteSource;
pub use folder::is_owned;
pub use migrate::{Schema, schema};
pub use store::SqliteStore;
pub use verify::{verify, verify_since};
