//! `mec migrate`: the database in this version's schema.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;

use crate::{output, serve};

pub fn migrate(folder: &Path) -> Result<ExitCode> {
    serve::open_store(folder)?;
    output::print(&format!(
        "the database in {} is up to date",
        folder.display()
    ))?;
    Ok(ExitCode::SUCCESS)
}
