//! The commands, one file each.

pub mod account;
pub mod catalogue;
pub mod check;
pub mod config;
pub mod copy;
pub mod doctor;
mod document;
mod document_file;
pub mod import;
pub mod key;
pub mod lookups;
pub mod migrate;
pub mod openapi;
pub mod retention;
pub mod token;
pub mod verify;
