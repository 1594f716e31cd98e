//! `mec verify`: proves the database against itself.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;

pub fn verify(folder: &Path, json: bool) -> Result<ExitCode> {
    let report = mec_store_sqlite::verify(folder, &mut |events| {
        if !json {
            eprint!("\r{events} events");
        }
    })?;
    if json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        eprintln!();
        println!(
            "{} events in {} chains, {} buckets of usage compared",
            report.events, report.chains, report.buckets
        );
        println!(
            "{}",
            report
                .problem
                .as_deref()
                .unwrap_or("all is as it was recorded")
        );
    }
    Ok(if report.problem.is_some() {
        ExitCode::from(4)
    } else {
        ExitCode::SUCCESS
    })
}
