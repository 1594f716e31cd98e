//! The pure domain of MEC: what an account may do, what it did, and why.
//!
//! Nothing here does I/O, reads a clock or makes a random number: the time and new ids are
//! arguments. Every rule of the contract stands in the file that bears its name.
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

pub mod account;
pub mod answer;
pub mod book;
pub mod catalogue;
pub mod chain;
pub mod change;
pub mod command;
pub mod condition;
pub mod decide;
pub mod entitlement;
pub mod figures;
pub mod grant;
pub mod holds;
pub mod ids;
pub mod lease;
pub mod ledger;
pub mod limits;
pub mod lookups;
pub mod need;
pub mod ops;
pub mod plan;
pub mod quantity;
pub mod refusal;
pub mod reservation;
pub mod resets;
pub mod rule;
pub mod seed;
pub mod time;
pub mod usage;
pub mod verdict;
pub mod window;

pub use book::{Book, Part, TreeHead};
pub use catalogue::Catalogue;
pub use command::{Command, execute};
pub use ids::{AccountId, Code, IdSource, Namespace};
pub use need::{Need, Stop};
pub use quantity::Quantity;
pub use refusal::Refusal;
pub use time::Timestamp;
