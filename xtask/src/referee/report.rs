//! The referee's table, its verdicts and its JSON.

use super::ratios::Ratio;
use super::record::{Figures, Record, Summary};
use serde::Serialize;
use std::path::Path;

/// The facts of the machine and the run without which no figure means anything.
#[derive(Serialize)]
pub struct Conditions {
    pub processors: usize,
    pub folder: String,
    pub file_system: Option<String>,
    pub rounds: usize,
    pub seconds: f64,
    pub accounts: usize,
    /// What was not measured, and why.
    pub left_out: Vec<String>,
}

pub fn print(conditions: &Conditions, record: &Record, ratios: &[Ratio]) {
    let file_system = conditions
        .file_system
        .as_deref()
        .unwrap_or("an unknown file system");
    println!(
        "\n{} processors, {} on {file_system}, {} rounds of {} s a cell, {} accounts",
        conditions.processors,
        conditions.folder,
        conditions.rounds,
        conditions.seconds,
        conditions.accounts,
    );
    println!("median of the rounds; a shared machine: compare within this run only\n");
    println!(
        "{:<42} {:>10} {:>21} {:>9} {:>9} {:>9}",
        "what @callers", "a second", "min..max", "p50 us", "p99 us", "p99.9 us"
    );
    for (cell, rounds) in record.cells() {
        if let Some(rate) = Summary::of(rounds.iter().map(|f| f.per_second)) {
            println!(
                "{:<42} {:>10.0} {:>21} {:>9} {:>9} {:>9}",
                cell.to_string(),
                rate.median,
                format!("{:.0}..{:.0}", rate.min, rate.max),
                microseconds(rounds, |f| f.p50_us),
                microseconds(rounds, |f| f.p99_us),
                microseconds(rounds, |f| f.p999_us),
            );
        }
    }
    println!();
    for reason in &conditions.left_out {
        println!("{reason}");
    }
    for ratio in ratios {
        println!("{ratio}");
    }
}

fn microseconds(rounds: &[Figures], of: impl Fn(&Figures) -> Option<f64>) -> String {
    let summary = Summary::of(rounds.iter().filter_map(of));
    summary.map_or_else(
        || "-".to_owned(),
        |summary| format!("{:.0}", summary.median),
    )
}

#[derive(Serialize)]
struct Document<'a> {
    conditions: &'a Conditions,
    cells: Vec<CellRounds<'a>>,
    ratios: &'a [Ratio],
}

#[derive(Serialize)]
struct CellRounds<'a> {
    name: String,
    callers: usize,
    rounds: &'a [Figures],
}

pub fn write_json(
    path: &Path,
    conditions: &Conditions,
    record: &Record,
    ratios: &[Ratio],
) -> anyhow::Result<()> {
    let cells = record
        .cells()
        .map(|(cell, rounds)| CellRounds {
            name: cell.to_string(),
            callers: cell.callers,
            rounds,
        })
        .collect();
    let document = Document {
        conditions,
        cells,
        ratios,
    };
    std::fs::write(path, serde_json::to_vec_pretty(&document)?)?;
    println!("\nevery round stands in {}", path.display());
    Ok(())
}
