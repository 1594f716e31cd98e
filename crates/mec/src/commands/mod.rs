//! The commands, one file each.

pub mod account;
pub mod catalogue;
mod catalogue_file;
pub mod check;
pub mod doctor;
pub mod import;
pub mod migrate;
pub mod openapi;
pub mod retention;
pub mod token;
pub mod verify;
