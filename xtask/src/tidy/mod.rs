//! `cargo xtask tidy`: the rules of the house that no compiler checks, one file each.
//!
//! A finding is one line, `file:line: sentence`. Notes do not fail the task.

mod core_purity;
mod direction;
mod error_docs;
mod length;
mod links;
mod security_rows;
mod source;
mod tree;
mod words;

use anyhow::{Result, bail};
use std::fmt;
use tree::Tree;

/// One place that breaks a rule.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    file: String,
    /// From 1.
    line: usize,
    text: String,
}

impl Finding {
    fn new(file: &str, line: usize, text: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            line,
            text: text.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.text)
    }
}

/// What all rules found.
#[derive(Default)]
struct Report {
    failures: Vec<Finding>,
    notes: Vec<Finding>,
}

pub fn run() -> Result<()> {
    let tree = Tree::read()?;
    let mut report = Report::default();
    report.failures.extend(direction::check(&tree)?);
    length::check(&tree, &mut report);
    report.failures.extend(words::check(&tree));
    report.failures.extend(core_purity::check(&tree));
    report.failures.extend(error_docs::check(&tree));
    report.failures.extend(links::check(&tree));
    security_rows::check(&tree, &mut report);

    report.notes.sort();
    report.failures.sort();
    for note in &report.notes {
        println!("note: {note}");
    }
    for failure in &report.failures {
        println!("{failure}");
    }
    match report.failures.len() {
        0 => println!(
            "tidy: {} files follow the rules of the house",
            tree.files.len()
        ),
        1 => bail!("tidy: 1 place breaks a rule of the house"),
        count => bail!("tidy: {count} places break a rule of the house"),
    }
    Ok(())
}
