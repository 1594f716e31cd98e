//! `mec doctor`: what is wrong with an installation, and what to do about it.

mod certificate;
mod disk;
mod folder;
mod listeners;
mod postgres;
mod server;
mod settings;
mod token;

use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;

use crate::door::Reach;
use crate::output;
use crate::place::Place;
use crate::settings::Settings;

/// The exit code where something is broken.
const BROKEN: u8 = 6;

#[derive(clap::Args)]
pub struct DoctorArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reach: Reach,
}

/// How it stands with one thing.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Ok,
    Warn,
    Fail,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
pub struct Finding {
    state: State,
    what: &'static str,
    finding: String,
    /// What to do.
    remedy: Option<String>,
}

/// All that was looked at.
#[derive(Default)]
pub struct Findings(Vec<Finding>);

impl Findings {
    pub fn ok(&mut self, what: &'static str, finding: impl Into<String>) {
        self.add(State::Ok, what, finding.into(), None);
    }

    pub fn warn(
        &mut self,
        what: &'static str,
        finding: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.add(State::Warn, what, finding.into(), Some(remedy.into()));
    }

    pub fn fail(
        &mut self,
        what: &'static str,
        finding: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.add(State::Fail, what, finding.into(), Some(remedy.into()));
    }

    fn add(&mut self, state: State, what: &'static str, finding: String, remedy: Option<String>) {
        self.0.push(Finding {
            state,
            what,
            finding,
            remedy,
        });
    }
}

pub fn doctor(place: &Place, args: &DoctorArgs, with: &Settings) -> Result<ExitCode> {
    let mut findings = Findings::default();
    settings::look(with, &mut findings);
    certificate::look(&with.values, &mut findings);
    // Where the server is elsewhere, so are its folder and its secret.
    match place.postgres() {
        Some(config) => postgres::look(&config, &mut findings)?,
        None if args.reach.server.is_none() => {
            folder::look(&place.data_dir, &with.values, &mut findings)
        }
        None => {}
    }
    if server::look(place, &args.reach, &mut findings) && args.reach.server.is_none() {
        listeners::look(&with.values, &mut findings);
    }
    let findings = findings.0;
    if args.json {
        output::print_json(&findings)?;
    } else {
        for finding in &findings {
            output::print(&line(finding))?;
        }
    }
    let broken = findings.iter().any(|one| one.state == State::Fail);
    Ok(if broken {
        ExitCode::from(BROKEN)
    } else {
        ExitCode::SUCCESS
    })
}

fn line(finding: &Finding) -> String {
    let state = match finding.state {
        State::Ok => "ok  ",
        State::Warn => "warn",
        State::Fail => "fail",
    };
    let remedy = finding.remedy.as_ref().map(|remedy| format!("; {remedy}"));
    format!(
        "{state}  {}: {}{}",
        finding.what,
        finding.finding,
        remedy.unwrap_or_default()
    )
}
