//! The store on PostgreSQL: any number of processes over one database, with the same answers as the
//! embedded store.
//!
//! A batch is one transaction: it locks its trees in order, reads the clock, looks up its keys, and writes
//! all its rows with arrays, a statement a table, sent at once with the commit. PostgreSQL is the only
//! coordinator. Nothing here decides; what is stored and how it is found stands in `sql/`.
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

mod address;
mod api_keys;
mod batch;
mod catalogue;
mod commit;
mod config;
mod connection;
mod convert;
mod copy;
mod error;
mod fold;
mod lane;
mod load;
mod locate;
mod looks;
mod lookups;
mod migrate;
mod moving;
mod query;
mod resources;
mod retention;
mod rows;
mod said;
mod sql;
mod store;
mod tls;
mod upkeep;
mod values;
mod verify;
mod writes;

pub use batch::PostgresBatch;
pub use config::PostgresConfig;
pub use copy::PostgresTarget;
pub use migrate::{Passwords, migrate};
pub use sql::ALL as STATEMENTS;
pub use store::PostgresStore;
pub use verify::verify_since;
