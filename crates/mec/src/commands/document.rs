//! Documents that are shown as one file and applied whole: the catalogue of a namespace, and
//! the lookups of all.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use super::document_file::{self, File};

use crate::door::{Call, Door, Reach};
use crate::output;
use crate::place::Place;

/// What is shown and applied.
pub struct Document {
    /// Its name within sentences.
    pub name: &'static str,
    /// Its path at the server.
    pub path: &'static str,
}

/// How a file is applied.
#[derive(clap::Args)]
pub struct Applying {
    /// The TOML file; docs/catalogue.md and docs/lookups.md describe it
    file: PathBuf,
    /// Print what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What the server did.
#[derive(Deserialize, Serialize)]
struct Changes {
    version: u64,
    applied: bool,
    changes: Vec<Change>,
}

#[derive(Deserialize, Serialize)]
struct Change {
    change: String,
    kind: String,
    name: String,
    fields: Vec<FieldChange>,
}

#[derive(Deserialize, Serialize)]
struct FieldChange {
    field: String,
    before: Option<String>,
    after: Option<String>,
}

impl Document {
    /// Prints it: as a file, or as JSON.
    pub fn show(&self, door: &Door, json: bool) -> Result<ExitCode> {
        let accept = if json {
            "application/json"
        } else {
            "application/toml"
        };
        let call = Call {
            headers: &[("accept", accept)],
            ..Call::get(self.path)
        };
        output::print(door.send(&call)?.success()?.trim_end())?;
        Ok(ExitCode::SUCCESS)
    }

    /// Makes it what a file says, and prints what changed.
    pub fn apply(&self, place: &Place, args: &Applying, reach: &Reach) -> Result<ExitCode> {
        let shown = args.file.display();
        let text =
            fs::read_to_string(&args.file).with_context(|| format!("{shown} cannot be read"))?;
        let file = match document_file::read(&text) {
            Ok(file) => file,
            Err(faults) => return faulty(args, faults),
        };
        let door = Door::open(place, reach)?;
        let prefer: &[(&str, &str)] = if args.dry_run {
            &[("prefer", "tx=rollback")]
        } else {
            &[]
        };
        let answer = door.send(&Call {
            method: "PUT",
            path: self.path,
            headers: prefer,
            body: Some(file.json.clone()),
        })?;
        let refused = answer.refused().filter(|_| answer.status == 422);
        if let Some(details) = refused.and_then(|refused| refused.details) {
            return faulty(args, located(&file, &details));
        }
        let told = answer
            .success()
            .with_context(|| format!("{shown} was not applied"))?;
        let changes: Changes = serde_json::from_str(&told)?;
        if args.json {
            output::print_json(&changes)?;
        } else {
            output::print(&self.screen(&changes, args.dry_run))?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn screen(&self, told: &Changes, dry_run: bool) -> String {
        if told.changes.is_empty() {
            return format!("no changes; {} is at version {}", self.name, told.version);
        }
        let mut lines = Vec::new();
        for change in &told.changes {
            let sign = match change.change.as_str() {
                "added" => '+',
                "removed" => '-',
                _ => '~',
            };
            lines.push(format!("{sign} {} {}", change.kind, change.name));
            for field in &change.fields {
                let before = field.before.iter().map(|value| format!("{value} -> "));
                let before: String = before.collect();
                let after = field.after.as_deref().unwrap_or("none");
                lines.push(format!("    {} = {before}{after}", field.field));
            }
        }
        let count = |what: &str| {
            let changes = told.changes.iter();
            changes.filter(|change| change.change == what).count()
        };
        lines.push(format!(
            "{} added, {} changed, {} removed{}; {} is at version {}",
            count("added"),
            count("changed"),
            count("removed"),
            if dry_run { " if applied" } else { "" },
            self.name,
            told.version
        ));
        lines.join("\n")
    }
}

/// The faults that the server names by place, each with its line.
fn located(file: &File, details: &str) -> Vec<(usize, String)> {
    let faults = details.lines().map(|line| {
        let (place, sentence) = line.split_once(": ").unwrap_or(("", line));
        (file.line_of(place), sentence.to_owned())
    });
    let mut faults: Vec<_> = faults.collect();
    faults.sort_by_key(|(line, _)| *line);
    faults
}

/// A fault of the file, for programs.
#[derive(Serialize)]
struct Fault {
    line: usize,
    message: String,
}

fn faulty(args: &Applying, faults: Vec<(usize, String)>) -> Result<ExitCode> {
    let count = faults.len();
    for (line, sentence) in &faults {
        eprintln!("{}:{line}: {sentence}", args.file.display());
    }
    if args.json {
        let faults = faults.into_iter();
        let faults: Vec<Fault> = faults
            .map(|(line, message)| Fault { line, message })
            .collect();
        output::print_json(&serde_json::json!({ "applied": false, "faults": faults }))?;
    }
    let plural = if count == 1 { "" } else { "s" };
    bail!("{count} fault{plural}; nothing was changed");
}
