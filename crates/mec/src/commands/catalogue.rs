//! `mec catalogue`: plans, resource types and control rules of a namespace as one file.

use std::process::ExitCode;

use anyhow::Result;

use super::document::{Applying, Document};
use crate::door::{Door, Reach};
use crate::place::Place;

const CATALOGUE: Document = Document {
    name: "the catalogue",
    path: "/admin/catalogue",
};

#[derive(clap::Subcommand)]
pub enum CatalogueCommand {
    /// Print the catalogue as a file that apply takes
    Show {
        /// Print JSON, with the rows that all namespaces share
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        reach: Reach,
    },
    /// Make the catalogue what a file says, in one step, and print what changed
    Apply {
        #[command(flatten)]
        applying: Applying,
        #[command(flatten)]
        reach: Reach,
    },
}

pub fn run(place: &Place, command: &CatalogueCommand) -> Result<ExitCode> {
    match command {
        CatalogueCommand::Show { json, reach } => CATALOGUE.show(&Door::open(place, reach)?, *json),
        CatalogueCommand::Apply { applying, reach } => CATALOGUE.apply(place, applying, reach),
    }
}
