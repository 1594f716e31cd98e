//! `mec openapi`: the API's description.

use std::process::ExitCode;

use anyhow::Result;

use crate::output;

pub fn openapi() -> Result<ExitCode> {
    output::print(&mec_http::openapi().to_pretty_json()?)?;
    Ok(ExitCode::SUCCESS)
}
