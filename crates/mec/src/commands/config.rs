//! `mec config`: the settings file with all defaults, and whether the settings are right.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{CommandFactory, Subcommand};
use serde_json::{Value as Json, json};

use crate::serve::ServeArgs;
use crate::settings::{self, Keys, Origin, Settings, Value};
use crate::{Cli, WRONG_SETTING, output};

#[derive(Subcommand)]
pub enum ConfigCommand {
    /// Print a settings file that shows every setting with its default
    Default(DefaultArgs),
    /// Check the settings that `mec serve` would have, and say where each comes from; exit 2 where one is wrong
    Check(Box<CheckArgs>),
}

#[derive(clap::Args)]
pub struct DefaultArgs {
    /// Print the table of docs/settings.md
    #[arg(long, hide = true)]
    markdown: bool,
}

#[derive(clap::Args)]
pub struct CheckArgs {
    /// The settings file, in place of the one that would be read
    file: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    serve: ServeArgs,
}

pub fn run(command: &ConfigCommand, settings: &Settings) -> Result<ExitCode> {
    match command {
        ConfigCommand::Default(args) => {
            let keys = Keys::of(&Cli::command());
            let text = if args.markdown {
                settings::table(&keys)
            } else {
                settings::default_file(&keys)
            };
            output::print(text.trim_end())?;
            Ok(ExitCode::SUCCESS)
        }
        ConfigCommand::Check(args) => check(args, settings),
    }
}

fn check(args: &CheckArgs, settings: &Settings) -> Result<ExitCode> {
    let wrong = settings.all_wrong(&args.serve);
    let warnings = settings.all_warnings();
    let warnings: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    let given = settings
        .values
        .iter()
        .filter(|value| value.origin != Origin::Default);
    let given: Vec<&Value> = given.filter(|value| value.name != "MEC_CONFIG").collect();
    if args.json {
        let file = settings
            .file
            .as_ref()
            .map(|file| file.display().to_string());
        let given: Vec<Json> = given.into_iter().map(told).collect();
        output::print_json(&json!({
            "file": file, "settings": given, "warnings": warnings, "wrong": wrong,
        }))?;
    } else {
        match &settings.file {
            Some(file) => output::print(&format!("settings file: {}", file.display()))?,
            None => output::print("settings file: none")?,
        }
        if given.is_empty() {
            output::print("every setting has its default")?;
        } else {
            let rows = given.into_iter();
            let rows = rows.map(|value| [value.name.clone(), value.shown(), value.from()]);
            output::print(&output::table(["setting", "value", "from"], rows))?;
        }
        for warning in &warnings {
            output::print(&format!("warn  {warning}"))?;
        }
        for sentence in &wrong {
            output::print(&format!("fail  {sentence}"))?;
        }
        if wrong.is_empty() {
            output::print("ok    `mec serve` would start with these settings")?;
        }
    }
    Ok(if wrong.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(WRONG_SETTING)
    })
}

fn told(value: &Value) -> Json {
    let (from, line) = match &value.origin {
        Origin::Default => ("default", None),
        Origin::Flag => ("flag", None),
        Origin::Environment => ("environment", None),
        Origin::File(_, line) => ("file", Some(*line)),
    };
    let path = value
        .secret_file
        .as_ref()
        .map(|path| path.display().to_string());
    // Whose value is a secret has none here.
    let text = value.text.as_ref().filter(|_| !value.is_secret);
    json!({
        "name": value.name, "value": text, "is_secret": value.is_secret,
        "from": from, "line": line, "secret_file": path,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documentation_has_every_setting_as_it_is() {
        let page = include_str!("../../../../docs/settings.md");
        let table = settings::table(&Keys::of(&Cli::command()));
        let told = "docs/settings.md: put what `mec config default --markdown` prints in the place of its table";
        assert!(page.contains(&table), "{told}\n\n{table}");
    }
}
