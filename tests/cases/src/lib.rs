//! The decision tables beside this crate: how their rows are read, and how an answer is compared
//! with what a row expects. It knows the format of the files and nothing of MEC; what a step means
//! is said by each [`World`]. The format is described in the README of this folder.
#![forbid(unsafe_code)]

mod outcome;
mod parse;
mod pool;
mod step;
mod world;

use std::path::{Path, PathBuf};

pub use outcome::Outcome;
pub use parse::parse;
pub use pool::{Again, Pool, Pooled};
pub use step::Step;
pub use world::{Names, World, judge};

/// When every row begins.
pub const START: &str = "2026-11-24T10:00:30Z";

/// One row: what is given, what is asked last, and what is answered.
#[derive(Clone, Debug)]
pub struct Case {
    /// The file's name.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The row as it is written.
    pub text: String,
    /// The givens in their order.
    pub givens: Vec<Step>,
    /// The request.
    pub request: Step,
    /// What is answered.
    pub outcome: Outcome,
}

/// All rows of all files, by file and line.
///
/// # Errors
/// The first line that is not of the format, as `file:line: what is wrong`.
pub fn all() -> Result<Vec<Case>, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let unread = |error: std::io::Error| format!("{}: {error}", folder.display());
    let entries = std::fs::read_dir(folder).map_err(unread)?;
    let mut files: Vec<PathBuf> = entries
        .collect::<Result<Vec<_>, _>>()
        .map_err(unread)?
        .into_iter()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect();
    files.sort();
    let mut cases = Vec::new();
    for path in files {
        let text = std::fs::read_to_string(&path).map_err(unread)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        cases.extend(parse(&name, &text)?);
    }
    Ok(cases)
}

/// Runs all rows, each in a world of its own, and tells how many there are. Several run at a time,
/// since a world on disk mostly waits for it.
///
/// # Errors
/// Every row whose answer differs, a line or more for each.
pub fn run_all<W: World>(world: impl Fn() -> W + Sync) -> Result<usize, String> {
    const AT_A_TIME: usize = 8;
    let cases = all()?;
    let share = |first: usize| -> Vec<(usize, String)> {
        let mine = cases.iter().enumerate().skip(first).step_by(AT_A_TIME);
        mine.filter_map(|(number, case)| Some((number, judge(case, &mut world()).err()?)))
            .collect()
    };
    let told = std::thread::scope(|scope| {
        let share = &share;
        let workers: Vec<_> = (0..AT_A_TIME)
            .map(|first| scope.spawn(move || share(first)))
            .collect();
        workers
            .into_iter()
            .map(|worker| worker.join().map_err(|_| "a row panicked".to_owned()))
            .collect::<Result<Vec<_>, _>>()
    })?;
    let mut told: Vec<(usize, String)> = told.into_iter().flatten().collect();
    told.sort();
    if told.is_empty() {
        return Ok(cases.len());
    }
    let lines: Vec<String> = told.into_iter().map(|(_, line)| line).collect();
    Err(format!(
        "{} of {} rows differ:\n{}",
        lines.len(),
        cases.len(),
        lines.join("\n")
    ))
}
