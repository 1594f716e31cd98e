//! `mec import`: usage from a file. Every row has a key, so that the same file may be sent again.

mod bounded;
mod columns;
mod reading;
mod refusals;
mod sending;

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use uuid::Uuid;

use crate::door::{Door, Reach};
use crate::output;
use crate::place::Place;
use columns::Columns;
use reading::Rows;
use refusals::Refusals;
use sending::{Batches, Counts};

/// The exit code where rows were refused.
const REFUSED: u8 = 5;

#[derive(clap::Args)]
pub struct ImportArgs {
    /// The file; - for standard input
    file: PathBuf,
    /// Its format, where the name does not end in .csv, .ndjson or .jsonl
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// The file's name of a column, and ours: `--map tokens=quantity`; an empty name leaves the column out
    #[arg(long = "map", value_name = "COLUMN=NAME", value_parser = pair)]
    map: Vec<(String, String)>,
    /// The account of all rows, by MEC's id
    #[arg(long, conflicts_with = "external_id")]
    account: Option<Uuid>,
    /// The account of all rows, by the product's own id
    #[arg(long)]
    external_id: Option<String>,
    /// The resource type of all rows
    #[arg(long)]
    resource: Option<String>,
    /// Make the keys: this and the row's number; for files without keys
    #[arg(long)]
    key_prefix: Option<String>,
    /// Where refused rows are told; FILE.refused.csv where none is named
    #[arg(long)]
    refused: Option<PathBuf>,
    /// So many requests of up to 1,000 rows are under way at once; 1 keeps the order of the rows
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=32))]
    in_flight: u8,
    /// So many seconds an unreachable or overloaded server is tried again
    #[arg(long, default_value_t = 120)]
    patience: u64,
    /// Print the counts as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reach: Reach,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Format {
    Csv,
    Ndjson,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (column, name) = text.split_once('=').ok_or("COLUMN=NAME is expected")?;
    Ok((column.to_owned(), name.to_owned()))
}

pub fn import(place: &Place, args: &ImportArgs) -> Result<ExitCode> {
    let format = format(args)?;
    let shown = args.file.display();
    let (source, length): (Box<dyn Read>, Option<u64>) = if is_stdin(&args.file) {
        (Box::new(io::stdin()), None)
    } else {
        let file = File::open(&args.file).with_context(|| format!("{shown} cannot be read"))?;
        let length = file.metadata()?.len();
        (Box::new(file), Some(length))
    };
    let columns = Columns::new(args)?;
    let progress = progress(length);
    let rows = Rows::open(progress.wrap_read(source), format, &columns)
        .with_context(|| shown.to_string())?;
    let door = Door::open(place, &args.reach)?;
    let mut refusals = Refusals::new(refused_path(args));
    let batches = Batches {
        door: &door,
        in_flight: args.in_flight.into(),
        patience_seconds: args.patience,
        progress: &progress,
    };
    let sent = batches.send(rows, &columns, &mut refusals);
    progress.finish_and_clear();
    let refused_file = refusals.finish()?;
    let counts = sent.with_context(|| {
        format!("{shown} was imported in part; run the same command again, nothing counts twice")
    })?;
    report(&counts, refused_file.as_deref(), args.json)?;
    Ok(if counts.refused > 0 {
        ExitCode::from(REFUSED)
    } else {
        ExitCode::SUCCESS
    })
}

fn report(counts: &Counts, refused_file: Option<&Path>, as_json: bool) -> Result<()> {
    if as_json {
        return output::print_json(&json!({
            "rows": counts.rows(),
            "new": counts.new,
            "repeated": counts.repeated,
            "refused": counts.refused,
            "refused_file": refused_file,
        }));
    }
    output::print(&format!(
        "{} rows: {} new, {} repeated, {} refused",
        counts.rows(),
        counts.new,
        counts.repeated,
        counts.refused
    ))?;
    if let Some(file) = refused_file {
        output::print(&format!("the refused rows are told in {}", file.display()))?;
    }
    Ok(())
}

fn is_stdin(file: &Path) -> bool {
    file == Path::new("-")
}

fn format(args: &ImportArgs) -> Result<Format> {
    if let Some(format) = args.format {
        return Ok(format);
    }
    match args.file.extension().and_then(|ending| ending.to_str()) {
        Some("csv") => Ok(Format::Csv),
        Some("ndjson" | "jsonl") => Ok(Format::Ndjson),
        _ => bail!(
            "{}: name the format with --format csv or --format ndjson",
            args.file.display()
        ),
    }
}

fn refused_path(args: &ImportArgs) -> PathBuf {
    if let Some(path) = &args.refused {
        return path.clone();
    }
    if is_stdin(&args.file) {
        return PathBuf::from("stdin.refused.csv");
    }
    let mut path = args.file.clone().into_os_string();
    path.push(".refused.csv");
    path.into()
}

/// A bar on a terminal, nothing otherwise.
fn progress(length: Option<u64>) -> ProgressBar {
    let bar = length.map_or_else(ProgressBar::no_length, ProgressBar::new);
    let template = match length {
        Some(_) => "{bar:40} {percent}% of {decimal_total_bytes}, {msg}, {eta} left",
        None => "{decimal_bytes}, {msg}",
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_message("0 rows");
    bar
}
