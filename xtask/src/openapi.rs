//! `cargo xtask openapi`: the API description in `docs/openapi.json` is the one that the binary prints.

use crate::workspace;
use anyhow::{Context, Result, bail};
use std::path::Path;
use std::process::Command;

const FILE: &str = "docs/openapi.json";

#[derive(clap::Args)]
#[command(group(clap::ArgGroup::new("what").required(true)))]
pub struct Args {
    /// Fail if the committed file is not what the binary prints
    #[arg(long, group = "what")]
    check: bool,
    /// Write what the binary prints to the committed file
    #[arg(long, group = "what")]
    write: bool,
}

pub fn run(args: &Args) -> Result<()> {
    let mut program = workspace::cargo();
    program.args([
        "run",
        "--quiet",
        "--package",
        "mec",
        "--bin",
        "mec",
        "--",
        "openapi",
    ]);
    let printed = workspace::output(&mut program)?;
    if args.write {
        write(&printed)
    } else {
        compare(&printed)
    }
}

/// Checks the committed file against a binary that is already built.
pub fn check_against(binary: &Path) -> Result<()> {
    compare(&workspace::output(Command::new(binary).arg("openapi"))?)
}

fn write(printed: &[u8]) -> Result<()> {
    std::fs::write(workspace::root().join(FILE), printed)
        .with_context(|| format!("writing {FILE}"))?;
    println!("{FILE} written, {} bytes", printed.len());
    Ok(())
}

fn compare(printed: &[u8]) -> Result<()> {
    let advice = "run `cargo xtask openapi --write` and commit the file";
    let committed = std::fs::read(workspace::root().join(FILE))
        .with_context(|| format!("{FILE} cannot be read; {advice}"))?;
    if let Some(line) = first_difference(&committed, printed) {
        bail!("{FILE}:{line}: differs from what the binary prints; {advice}");
    }
    println!("{FILE} is what the binary prints");
    Ok(())
}

/// The number, from 1, of the first line in which two texts differ.
fn first_difference(left: &[u8], right: &[u8]) -> Option<usize> {
    let (mut left, mut right) = (left.split(|b| *b == b'\n'), right.split(|b| *b == b'\n'));
    let mut line = 1;
    loop {
        match (left.next(), right.next()) {
            (None, None) => return None,
            (left, right) if left != right => return Some(line),
            _ => line += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::first_difference;

    #[test]
    fn the_first_differing_line_is_named() {
        assert_eq!(first_difference(b"{\n}\n", b"{\n}\n"), None);
        assert_eq!(first_difference(b"a\nb\nc", b"a\nx\nc"), Some(2));
        assert_eq!(first_difference(b"a\nb", b"a\nb\nc"), Some(3));
        assert_eq!(first_difference(b"a\n", b"a"), Some(2));
    }
}
