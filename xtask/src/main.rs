//! The project's own tasks, run as `cargo xtask <task>`.
//!
//! - `test`: everything that must hold before a change is merged, in one command
//! - `tidy`: the rules of the house that no compiler checks
//! - `openapi`: the committed API description against the binary's own
//! - `referee`: the speed targets, as ratios inside one interleaved run

#![allow(
    clippy::print_stdout,
    reason = "a task's result is what it prints to the terminal"
)]
#![allow(
    clippy::float_arithmetic,
    reason = "rates, durations and ratios are statistics; no quantity of a customer passes here"
)]

mod openapi;
mod referee;
mod test;
mod tidy;
mod workspace;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// The routes that MEC is measured beside have the same allocator as MEC.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    about = "MEC's own build, test and measuring tasks"
)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Runs every check and test, and stops at the first failure
    Test(test::Args),
    /// Checks the rules of the house that no compiler checks
    Tidy,
    /// Compares docs/openapi.json with what the binary prints, or writes it
    Openapi(openapi::Args),
    /// Measures MEC beside an empty route, the raw disk, Redis and PostgreSQL
    Referee(referee::Args),
    /// Serves checks without a front door and prints its port (started by the referee)
    #[command(hide = true)]
    RefereeBare(referee::bare::Args),
    /// Serves the referee's empty route and prints its port (started by the referee)
    #[command(hide = true)]
    RefereeEmpty(referee::empty::Args),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().task {
        Task::Test(args) => test::run(&args),
        Task::Tidy => tidy::run(),
        Task::Openapi(args) => openapi::run(&args),
        Task::Referee(args) => referee::run(&args),
        Task::RefereeBare(args) => referee::bare::serve(&args),
        Task::RefereeEmpty(args) => referee::empty::serve(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
