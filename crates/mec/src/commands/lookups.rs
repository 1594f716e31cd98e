//! `mec lookups`: units, window types and account types of the whole database as one file.

use std::process::ExitCode;

use anyhow::Result;

use super::document::{Applying, Document};
use crate::door::{Door, ReachOfAll};
use crate::place::Place;

const LOOKUPS: Document = Document {
    name: "the set of lookups",
    path: "/admin/lookups",
};

#[derive(clap::Subcommand)]
pub enum LookupsCommand {
    /// Print the lookups as a file that apply takes
    Show {
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        reach: ReachOfAll,
    },
    /// Make the lookups what a file says, in one step, and print what changed
    Apply {
        #[command(flatten)]
        applying: Applying,
        #[command(flatten)]
        reach: ReachOfAll,
    },
}

pub fn run(place: &Place, command: &LookupsCommand) -> Result<ExitCode> {
    match command {
        LookupsCommand::Show { json, reach } => {
            LOOKUPS.show(&Door::open(place, &reach.reach())?, *json)
        }
        LookupsCommand::Apply { applying, reach } => LOOKUPS.apply(place, applying, &reach.reach()),
    }
}
