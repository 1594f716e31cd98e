//! `mec retention apply`: drops what has been kept for its time.

use std::io::IsTerminal;
use std::process::ExitCode;

use anyhow::Result;
use mec_engine::RetentionPolicy;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::door::{Call, Door, ReachOfAll};
use crate::output;
use crate::place::Place;

#[derive(clap::Subcommand)]
pub enum RetentionCommand {
    /// Drop what has been kept for its time, in all namespaces, and print how much; the ledger stays
    Apply(ApplyArgs),
}

#[derive(clap::Args)]
pub struct ApplyArgs {
    /// Keep logged decisions for so many days
    #[arg(long, default_value_t = RetentionPolicy::default().decisions_days, value_parser = days())]
    decisions_days: u32,
    /// Keep the entitlements' audit for so many days
    #[arg(long, default_value_t = RetentionPolicy::default().audit_days, value_parser = days())]
    audit_days: u32,
    /// Keep the answers that repeated idempotency keys get again for so many days
    #[arg(long, default_value_t = RetentionPolicy::default().answers_days, value_parser = days())]
    answers_days: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reach: ReachOfAll,
}

fn days() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..)
}

/// How many rows were dropped.
#[derive(Default, Deserialize, Serialize)]
struct Dropped {
    decisions: u64,
    audit: u64,
    answers: u64,
    done: bool,
}

pub fn run(place: &Place, command: &RetentionCommand) -> Result<ExitCode> {
    let RetentionCommand::Apply(args) = command;
    let door = Door::open(place, &args.reach.reach())?;
    let policy = json!({
        "decisions_days": args.decisions_days,
        "audit_days": args.audit_days,
        "answers_days": args.answers_days,
    });
    let speaks = !args.json && std::io::stderr().is_terminal();
    let mut total = Dropped::default();
    // A call drops a bounded number of rows, so that none takes long.
    while !total.done {
        let call = Call::post("/admin/retention", policy.to_string());
        let told: Dropped = serde_json::from_str(&door.send(&call)?.success()?)?;
        total.decisions += told.decisions;
        total.audit += told.audit;
        total.answers += told.answers;
        total.done = told.done;
        if speaks && !told.done {
            eprint!(
                "\r{} rows so far",
                total.decisions + total.audit + total.answers
            );
        }
    }
    if args.json {
        output::print_json(&total)?;
    } else {
        output::print(&screen(args, &total))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn screen(args: &ApplyArgs, dropped: &Dropped) -> String {
    let rows = [
        ("logged decisions", args.decisions_days, dropped.decisions),
        ("audit of entitlements", args.audit_days, dropped.audit),
        (
            "answers of idempotency keys",
            args.answers_days,
            dropped.answers,
        ),
    ];
    let rows = rows.map(|(what, days, count)| {
        [
            what.to_owned(),
            format!("{days} days"),
            format!("{count} dropped"),
        ]
    });
    output::table(["rows", "kept for", "now"], rows)
}
