//! What each setting is, and where it comes from.

use std::collections::BTreeMap;

use clap::ArgMatches;
use clap::parser::ValueSource;

use super::keys::{Key, Keys};
use super::layers::{Given, Origin};

/// One setting as it is in force.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Value {
    pub name: String,
    pub is_secret: bool,
    /// None where nobody sets it and it has no default.
    pub text: Option<String>,
    pub origin: Origin,
    /// The file that holds the secret.
    pub secret_file: Option<std::path::PathBuf>,
}

impl Value {
    /// The value for people; of a secret how long it is.
    pub fn shown(&self) -> String {
        match &self.text {
            None => "not set".to_owned(),
            Some(text) if self.is_secret => format!("a secret of {} bytes", text.len()),
            Some(text) => text.clone(),
        }
    }

    /// Where it comes from, for people.
    pub fn from(&self) -> String {
        match &self.secret_file {
            Some(path) => format!("{}, in {}", self.origin, path.display()),
            None => self.origin.to_string(),
        }
    }
}

/// All settings as they are in force, by name.
#[derive(Clone, Debug, Default)]
pub struct Values(BTreeMap<String, Value>);

impl Values {
    /// The settings of a command line that was read over what was given.
    pub fn of(keys: &Keys, given: &BTreeMap<String, Given>, matches: &ArgMatches) -> Self {
        let value = |key: &Key| {
            let id = key.arg.get_id().as_str();
            let flag = flag(matches, id);
            let given = given.get(&key.name);
            let (text, origin) = match (flag, given) {
                (Some(text), _) => (Some(text), Origin::Flag),
                (None, Some(given)) => (Some(given.text.clone()), given.origin.clone()),
                (None, None) => (key.default_text(), Origin::Default),
            };
            let secret_file = given.filter(|_| origin != Origin::Flag);
            Value {
                name: key.name.clone(),
                is_secret: key.is_secret(),
                text,
                origin,
                secret_file: secret_file.and_then(|given| given.secret_file.clone()),
            }
        };
        Self(
            keys.iter()
                .map(|key| (key.name.clone(), value(key)))
                .collect(),
        )
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Value> {
        self.0.values()
    }

    /// The value of a setting; none where it is not set, or empty, or this version has no such setting.
    pub fn text(&self, name: &str) -> Option<&str> {
        let text = self.0.get(name)?.text.as_deref()?;
        Some(text).filter(|text| !text.is_empty())
    }

    /// The parts of a list.
    pub fn list(&self, name: &str) -> impl Iterator<Item = &str> {
        let text = self.text(name).unwrap_or_default();
        text.split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
    }

    /// Whether somebody has set it.
    pub fn is_given(&self, name: &str) -> bool {
        self.0
            .get(name)
            .is_some_and(|value| value.origin != Origin::Default)
    }

    /// Where a setting comes from, for people.
    pub fn from(&self, name: &str) -> String {
        self.0.get(name).map(Value::from).unwrap_or_default()
    }

    /// The settings whose values differ.
    pub fn changed_to(&self, other: &Self) -> Vec<String> {
        let text =
            |values: &Self, name: &str| values.0.get(name).and_then(|value| value.text.clone());
        let names = other.0.keys();
        let changed = names.filter(|name| text(self, name) != text(other, name));
        changed.cloned().collect()
    }

    /// Values as tests need them.
    #[cfg(test)]
    pub fn with(pairs: &[(&str, &str, Origin)]) -> Self {
        let value = |(name, text, origin): &(&str, &str, Origin)| {
            let value = Value {
                name: (*name).to_owned(),
                is_secret: name.contains("SECRET") || name.contains("DATABASE_URL"),
                text: Some((*text).to_owned()),
                origin: origin.clone(),
                secret_file: None,
            };
            ((*name).to_owned(), value)
        };
        Self(pairs.iter().map(value).collect())
    }
}

/// What a flag says, on the command that is run.
fn flag(matches: &ArgMatches, id: &str) -> Option<String> {
    if let Some((_, below)) = matches.subcommand()
        && let Some(text) = flag(below, id)
    {
        return Some(text);
    }
    // Not every command has every argument.
    let raw = matches.try_get_raw(id).ok()??;
    if matches.value_source(id) != Some(ValueSource::CommandLine) {
        return None;
    }
    let texts: Vec<_> = raw.map(|text| text.to_string_lossy()).collect();
    Some(texts.join(","))
}
