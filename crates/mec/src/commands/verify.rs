//! `mec verify`: proves the database against itself, and its chains against an earlier export.

use std::fs;
use std::io::{BufRead, BufReader, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use mec_store::verify::{ChainHead, VerifyReport};
use serde_json::json;

use crate::place::Place;
use crate::{output, private};

/// The exit code of a difference.
const DIFFERS: u8 = 4;

#[derive(clap::Args)]
pub struct VerifyArgs {
    /// Write the chain heads of all trees into this file as JSON lines; where it exists, prove instead
    /// that every head in it is still a part of its chain
    #[arg(long, value_name = "FILE")]
    heads: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub fn verify(place: &Place, args: &VerifyArgs) -> Result<ExitCode> {
    let known = match &args.heads {
        Some(file) if file.exists() => Some(read_heads(file)?),
        _ => None,
    };
    let speaks = !args.json && std::io::stderr().is_terminal();
    let earlier = known.as_deref().unwrap_or_default();
    let mut progress = |events| {
        if speaks {
            eprint!("\r{events} events");
        }
    };
    let report = match place.postgres() {
        None => mec_store_sqlite::verify_since(&place.data_dir, earlier, &mut progress)?,
        Some(config) => tokio::runtime::Runtime::new()?.block_on(
            mec_store_postgres::verify_since(&config, earlier, &mut progress),
        )?,
    };
    if speaks {
        eprintln!();
    }
    let mut written = None;
    if let (Some(file), None, None) = (&args.heads, &known, &report.problem) {
        write_heads(file, &report.heads)?;
        written = Some(file);
    }
    if args.json {
        let mut told = serde_json::to_value(&report)?;
        if let Some(told) = told.as_object_mut() {
            told.insert(
                "heads_compared".to_owned(),
                json!(known.as_ref().map(Vec::len)),
            );
            told.insert("heads_written".to_owned(), json!(written));
        }
        output::print_json(&told)?;
    } else {
        output::print(&screen(
            &report,
            known.as_deref(),
            written.map(PathBuf::as_path),
        ))?;
    }
    Ok(match report.problem {
        Some(_) => ExitCode::from(DIFFERS),
        None => ExitCode::SUCCESS,
    })
}

fn screen(report: &VerifyReport, known: Option<&[ChainHead]>, written: Option<&Path>) -> String {
    let mut lines = vec![format!(
        "{} events in {} chains, {} buckets of usage compared",
        report.events, report.chains, report.buckets
    )];
    match &report.problem {
        Some(problem) => lines.push(problem.clone()),
        None => {
            if let Some(known) = known {
                lines.push(format!(
                    "{} earlier heads are still part of their chains",
                    known.len()
                ));
            }
            if let Some(file) = written {
                lines.push(format!(
                    "{} heads written to {}",
                    report.heads.len(),
                    file.display()
                ));
            }
            lines.push("all is as it was recorded".to_owned());
        }
    }
    lines.join("\n")
}

fn read_heads(file: &Path) -> Result<Vec<ChainHead>> {
    let shown = file.display();
    let opened = fs::File::open(file).with_context(|| format!("{shown} cannot be read"))?;
    let mut heads = Vec::new();
    for (index, line) in BufReader::new(opened).lines().enumerate() {
        let line = line.with_context(|| format!("{shown} cannot be read"))?;
        let head = serde_json::from_str(&line)
            .with_context(|| format!("{shown}:{}: no chain head", index + 1))?;
        heads.push(head);
    }
    Ok(heads)
}

fn write_heads(file: &Path, heads: &[ChainHead]) -> Result<()> {
    let mut text = String::new();
    for head in heads {
        text.push_str(&serde_json::to_string(head)?);
        text.push('\n');
    }
    private::replace(file, &text).with_context(|| format!("{} cannot be written", file.display()))
}
