//! `cargo xtask test`: the one command that says whether a change may be merged.

use crate::{openapi, tidy, workspace};
use anyhow::{Result, bail};
use clap::ValueEnum;
use std::path::PathBuf;
use std::time::{Duration, Instant};

#[derive(clap::Args)]
pub struct Args {
    /// Run this step alone, after the steps that it needs
    #[arg(long)]
    only: Option<Step>,
}

/// The steps, in the order in which they run: what fails fast comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Step {
    /// cargo fmt --check
    Fmt,
    /// The rules of the house
    Tidy,
    /// cargo clippy over every target, warnings denied
    Clippy,
    /// Everything that is tested, and the binary that the black-box tests and the API description use
    Build,
    /// Every unit, integration and black-box test
    Tests,
    /// Every example in the documentation of the code
    Doctests,
    /// docs/openapi.json against the binary
    Openapi,
}

impl Step {
    fn name(self) -> String {
        self.to_possible_value()
            .map_or_else(String::new, |value| value.get_name().to_owned())
    }

    fn needs_binary(self) -> bool {
        matches!(self, Step::Tests | Step::Openapi)
    }
}

/// The steps to run: all, or one with the build that it needs.
fn chosen(only: Option<Step>) -> Vec<Step> {
    match only {
        None => Step::value_variants().to_vec(),
        Some(step) if step.needs_binary() => vec![Step::Build, step],
        Some(step) => vec![step],
    }
}

pub fn run(args: &Args) -> Result<()> {
    let start = Instant::now();
    let mut binary = PathBuf::new();
    let mut done = Vec::new();
    for step in chosen(args.only) {
        let name = step.name();
        println!("== {name}");
        let begun = Instant::now();
        let outcome = perform(step, &mut binary);
        let seconds = seconds(begun.elapsed());
        if let Err(error) = outcome {
            println!("== {name} failed after {seconds}: {error:#}");
            let passed = if done.is_empty() {
                "none".to_owned()
            } else {
                done.join(", ")
            };
            bail!(
                "step {name} failed (again alone: `cargo xtask test --only {name}`); passed: {passed}"
            );
        }
        println!("== {name} passed in {seconds}");
        done.push(name);
    }
    println!("ok: {} in {}", done.join(", "), seconds(start.elapsed()));
    Ok(())
}

/// What is built and tested, in one set of features, so that nothing is compiled twice.
const TESTED: [&str; 5] = ["--workspace", "--lib", "--bins", "--tests", "--examples"];

fn perform(step: Step, binary: &mut PathBuf) -> Result<()> {
    let mut cargo = workspace::cargo();
    match step {
        Step::Fmt => cargo.args(["fmt", "--all", "--check"]),
        Step::Tidy => return tidy::run(),
        Step::Clippy => cargo.args([
            "clippy",
            "--workspace",
            "--all-targets",
            "--",
            "--deny",
            "warnings",
        ]),
        Step::Build => {
            workspace::succeed(cargo.arg("build").args(TESTED))?;
            *binary = workspace::program("debug")?;
            return Ok(());
        }
        Step::Tests => cargo.arg("test").args(TESTED).env("MEC_BIN", binary),
        Step::Doctests => cargo.args(["test", "--workspace", "--doc"]),
        Step::Openapi => return openapi::check_against(binary),
    };
    workspace::succeed(&mut cargo)
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::{Step, chosen};

    #[test]
    fn without_a_choice_every_step_runs_and_the_binary_stands_before_its_users() {
        let steps = chosen(None);
        assert_eq!(steps.len(), 7);
        let build = steps.iter().position(|step| *step == Step::Build);
        let user = steps.iter().position(|step| step.needs_binary());
        assert!(build < user);
    }

    #[test]
    fn one_step_brings_the_build_it_needs() {
        assert_eq!(chosen(Some(Step::Tidy)), [Step::Tidy]);
        assert_eq!(chosen(Some(Step::Tests)), [Step::Build, Step::Tests]);
    }
}
