//! Where settings are given: in the environment, else in the settings file. A secret may be given by the file
//! that holds it in both.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::file::SettingsFile;
use super::keys::{Key, Keys, Named};
use super::secret_file;
use super::wrong::{Warning, Wrong};

/// The variables of an environment.
pub type Environment = BTreeMap<String, OsString>;

/// The settings that lead to the file cannot stand in it.
const NOT_IN_FILE: &str = "MEC_CONFIG";

/// Where a value was given.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Origin {
    Default,
    Flag,
    Environment,
    /// The settings file, with the line.
    File(PathBuf, usize),
}

/// A value that was given.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Given {
    pub text: String,
    pub origin: Origin,
    /// The file that holds the secret.
    pub secret_file: Option<PathBuf>,
}

/// What was given, and what was wrong with it.
#[derive(Debug, Default)]
pub struct Layers {
    /// By setting. Only right values stand here.
    pub given: BTreeMap<String, Given>,
    pub wrong: Vec<Wrong>,
    pub warnings: Vec<Warning>,
}

impl Layers {
    /// Reads what is given.
    pub fn read(keys: &Keys, environment: &Environment, file: Option<&SettingsFile>) -> Self {
        let mut layers = Self::default();
        layers.names(keys, environment, file);
        for key in keys.iter() {
            let told = match in_environment(key, environment) {
                None => file.and_then(|file| in_file(key, file)),
                told => told,
            };
            let judged = told.map(|told| told.and_then(|given| judged(key, given)));
            match judged {
                None => {}
                Some(Ok(given)) => {
                    let exposed = given.secret_file.as_deref().and_then(secret_file::exposed);
                    layers.warnings.extend(exposed);
                    layers.given.insert(key.name.clone(), given);
                }
                Some(Err(sentence)) => layers.wrong.push(Wrong::of(&key.name, sentence)),
            }
        }
        layers
    }

    /// Looks at names that are no settings, and at what a file may not hold.
    fn names(&mut self, keys: &Keys, environment: &Environment, file: Option<&SettingsFile>) {
        for name in environment.keys() {
            match keys.named(name) {
                Named::NotUsed => self.not_used("the environment", name),
                Named::Unknown(near) if name.starts_with("MEC_") => {
                    let near = near.map_or_else(
                        || "`mec config default` prints all".to_owned(),
                        |near| format!("did you mean {near}?"),
                    );
                    let says = format!("the environment has {name}, which is no setting");
                    self.warnings.push(Warning::new(says, near));
                }
                _ => {}
            }
        }
        let Some(file) = file else { return };
        let mut holds_secret = false;
        for entry in &file.entries {
            let place = file.place(entry.line);
            match keys.named(&entry.name) {
                Named::NotUsed => self.not_used(&place, &entry.name),
                Named::Unknown(near) => {
                    let near = near.map(|near| format!("; did you mean \"{near}\"?"));
                    let near =
                        near.unwrap_or_else(|| "; `mec config default` prints all".to_owned());
                    let told = format!("{place}: unknown key \"{}\"{near}", entry.name);
                    self.wrong.push(Wrong::everywhere(told));
                }
                Named::Setting(key) => holds_secret |= key.is_secret(),
                Named::SecretFile => {}
            }
        }
        if holds_secret {
            self.warnings.extend(secret_file::exposed(&file.path));
        }
    }

    fn not_used(&mut self, place: &str, name: &str) {
        let says = format!("{place}: {name} is set, and not used by this version");
        self.warnings
            .push(Warning::new(says, "nothing comes of it; leave it out"));
    }
}

type Told = Option<Result<Given, String>>;

fn in_environment(key: &Key, environment: &Environment) -> Told {
    let place = "the environment";
    let value = |name: &str| {
        let text = environment.get(name)?.to_str();
        Some(text.ok_or_else(|| format!("{place}: {name} is not UTF-8 text")))
    };
    let path = key.is_secret().then(|| value(&key.file_name())).flatten();
    told(key, place, &Origin::Environment, value(&key.name), path)
}

fn in_file(key: &Key, file: &SettingsFile) -> Told {
    let value = file.get(&key.name);
    let path = file.get(&key.file_name()).filter(|_| key.is_secret());
    let line = value.or(path)?.line;
    let place = file.place(line);
    if key.name == NOT_IN_FILE {
        return Some(Err(format!(
            "{place}: {NOT_IN_FILE} names the file itself; set it in the environment"
        )));
    }
    let text = |entry: Option<&'_ super::file::Entry>| {
        entry.map(|entry| match &entry.value {
            Ok(text) if text.is_list && !key.is_list() => {
                Err(format!("{place}: {} is one value, no list", entry.name))
            }
            Ok(text) => Ok(text.text.clone()),
            Err(why) => Err(format!("{place}: {} {why}", entry.name)),
        })
    };
    let (value, path) = (text(value), text(path));
    let origin = Origin::File(file.path.clone(), line);
    told(key, &place, &origin, value, path)
}

/// What a place gives: the value, or the path of the file that holds it.
fn told<T: AsRef<str>>(
    key: &Key,
    place: &str,
    origin: &Origin,
    value: Option<Result<T, String>>,
    path: Option<Result<T, String>>,
) -> Told {
    let given = |text: String, secret_file| Given {
        text,
        origin: origin.clone(),
        secret_file,
    };
    match (value, path) {
        (None, None) => None,
        (Some(_), Some(_)) => {
            let (name, file_name) = (&key.name, key.file_name());
            Some(Err(format!(
                "{place}: {name} and {file_name} are both set; leave one of them"
            )))
        }
        (Some(value), None) => Some(value.map(|text| given(text.as_ref().to_owned(), None))),
        (None, Some(path)) => Some(path.and_then(|path| {
            let path = Path::new(path.as_ref());
            let text = secret_file::read(path);
            let text = text.map_err(|why| format!("{place}: {}: {why}", key.file_name()))?;
            Ok(given(text, Some(path.to_owned())))
        })),
    }
}

fn judged(key: &Key, given: Given) -> Result<Given, String> {
    match key.judge(&given.text) {
        Ok(()) => Ok(given),
        Err(why) => Err(format!("{}: {why}", given.origin)),
    }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Default => write!(formatter, "default"),
            Self::Flag => write!(formatter, "the command line"),
            Self::Environment => write!(formatter, "the environment"),
            Self::File(path, line) => write!(formatter, "{}: line {line}", path.display()),
        }
    }
}
