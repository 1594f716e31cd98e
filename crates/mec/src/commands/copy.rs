//! `mec copy`: a whole installation moves from its folder into a database.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};
use mec_store::copy::{CopyReport, Step, copy as run};
use mec_store_postgres::PostgresTarget;
use mec_store_sqlite::SqliteSource;
use serde_json::{Map, json};

use crate::output;
use crate::place::Place;

/// The exit code of a difference.
const DIFFERS: u8 = 4;

#[derive(clap::Args)]
pub struct CopyArgs {
    /// The data folder that is copied; the one of --data-dir without it. Stop its server first
    #[arg(long, value_name = "FOLDER")]
    from: Option<PathBuf>,
    /// The database, migrated and empty: postgres://mec_engine:PASSWORD@HOST/DATABASE
    #[arg(
        long,
        value_name = "ADDRESS",
        env = "DATABASE_URL",
        hide_env_values = true
    )]
    to: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub fn copy(place: &Place, args: &CopyArgs) -> Result<ExitCode> {
    let source = SqliteSource::open(args.from.as_deref().unwrap_or(&place.data_dir))?;
    let mut target = PostgresTarget::open(&place.connections.to(args.to.clone().into()))?;
    let bar = progress();
    let copied = run(&source, &mut target, &mut |step| tell(&bar, step));
    bar.finish_and_clear();
    let report = copied?;
    if args.json {
        let tables: Map<_, _> = report
            .tables
            .iter()
            .map(|(name, rows)| ((*name).to_owned(), json!(rows)))
            .collect();
        output::print_json(&json!({
            "tables": tables,
            "rows": rows(&report),
            "resumed": report.resumed,
            "problem": report.problem,
            "verified": report.verified,
        }))?;
    } else {
        output::print(&screen(&report))?;
    }
    Ok(match report.problem {
        Some(_) => ExitCode::from(DIFFERS),
        None => ExitCode::SUCCESS,
    })
}

fn rows(report: &CopyReport) -> u64 {
    report.tables.iter().map(|(_, rows)| rows).sum()
}

fn screen(report: &CopyReport) -> String {
    let tables = report.tables.iter().filter(|(_, rows)| *rows > 0);
    let tables = tables.map(|(name, rows)| [(*name).to_owned(), rows.to_string()]);
    let mut lines = vec![output::table(["table", "rows"], tables)];
    if report.resumed > 0 {
        lines.push(format!(
            "{} of {} rows were there from an earlier run",
            report.resumed,
            rows(report)
        ));
    }
    let verified = &report.verified;
    lines.push(format!(
        "{} events in {} chains, {} buckets of usage compared",
        verified.events, verified.chains, verified.buckets
    ));
    lines.push(match &report.problem {
        Some(problem) => format!("{problem}; the database is not served"),
        None => {
            "all is as it was in the folder: serve the database, and the folder no more".to_owned()
        }
    });
    lines.join("\n")
}

/// A bar on a terminal, nothing otherwise.
fn progress() -> ProgressBar {
    let bar = ProgressBar::new(0);
    let template = "{bar:40} {percent}% of {len} rows, {msg}, {eta} left";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}

fn tell(bar: &ProgressBar, step: Step) {
    match step {
        Step::VerifySource => bar.set_message("verifying the folder"),
        Step::Copy { table, done, total } => {
            bar.set_length(total);
            bar.set_position(done);
            bar.set_message(table);
        }
        Step::VerifyTarget => bar.set_message("verifying the database"),
    }
    bar.tick();
}
