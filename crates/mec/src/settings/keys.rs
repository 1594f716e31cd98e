//! The settings that there are: every argument of a command that has an environment name.

use clap::{Arg, ArgAction, Command};

/// Settings of features that this version does not have. Who sets one is told that nothing comes of it.
const NOT_USED: [&str; 4] = [
    "AUTH0_WEBHOOK_TOKEN",
    "POSTGRES_PASSWORD",
    "STRIPE_API_KEY",
    "STRIPE_WEBHOOK_SECRET",
];

/// The end of a name that names a file which holds the secret.
pub const FILE_SUFFIX: &str = "_FILE";

/// One setting.
#[derive(Clone, Debug)]
pub struct Key {
    /// As the environment and the file name it.
    pub name: String,
    /// The argument that it is, as the first command has it that does.
    pub arg: Arg,
    /// Whether all commands have it.
    pub is_global: bool,
    /// Which commands have it, as `account create`, where not all do.
    pub commands: Vec<String>,
}

impl Key {
    /// Whether its value is shown nowhere, and may stand in a file of its own.
    pub fn is_secret(&self) -> bool {
        self.arg.is_hide_env_values_set()
    }

    /// The name of the setting that names a file which holds it.
    pub fn file_name(&self) -> String {
        format!("{}{FILE_SUFFIX}", self.name)
    }

    /// Its flag.
    pub fn flag(&self) -> String {
        let long = self.arg.get_long().unwrap_or_default();
        format!("--{long}")
    }

    /// What stands for its value in the help.
    pub fn value_name(&self) -> Option<&str> {
        let names = self.arg.get_value_names()?;
        names.first().map(AsRef::as_ref)
    }

    /// Its value where nobody sets it.
    pub fn default_text(&self) -> Option<String> {
        let values = self.arg.get_default_values().iter();
        let values: Vec<_> = values.map(|value| value.to_string_lossy()).collect();
        (!values.is_empty()).then(|| values.join(","))
    }

    /// Whether several values may be given, with commas between them.
    pub fn is_list(&self) -> bool {
        self.arg.get_value_delimiter() == Some(',')
    }

    /// Whether a command uses it. A command is named by itself and those above, as `account create`.
    pub fn is_of(&self, command: &str) -> bool {
        self.is_global || self.commands.iter().any(|one| one == command)
    }

    /// What it means, as one paragraph.
    pub fn meaning(&self) -> String {
        let help = self.arg.get_long_help().or_else(|| self.arg.get_help());
        let help = help.map(ToString::to_string).unwrap_or_default();
        help.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Whether a text is a value of it; else why not, without the text where that is a secret.
    pub fn judge(&self, text: &str) -> Result<(), String> {
        // What it needs or excludes beside itself is none of its value.
        let arg = Arg::new(self.name.clone())
            .long("it")
            .action(self.arg.get_action().clone())
            .value_parser(self.arg.get_value_parser().clone())
            .value_delimiter(self.arg.get_value_delimiter())
            .default_value(text.to_owned());
        let command = Command::new("mec").arg(arg);
        let Err(error) = command.try_get_matches_from(["mec"]) else {
            return Ok(());
        };
        let name = &self.name;
        let told = std::error::Error::source(&error).map(ToString::to_string);
        let why = match told {
            Some(told) if told.starts_with(name.as_str()) => told,
            Some(told) => format!("{name}: {told}"),
            None => format!("{name} is one of {}", self.possible().join(", ")),
        };
        if self.is_secret() {
            return Err(why);
        }
        Err(format!("{why}, not '{text}'"))
    }

    fn possible(&self) -> Vec<String> {
        let values = self.arg.get_possible_values();
        let values = values.iter().map(|value| value.get_name().to_owned());
        if matches!(self.arg.get_action(), ArgAction::SetTrue) {
            return vec!["true".to_owned(), "false".to_owned()];
        }
        values.collect()
    }
}

/// All settings, in the order of the help: those of all commands, then those of each.
#[derive(Clone, Debug, Default)]
pub struct Keys(Vec<Key>);

/// What a name is.
pub enum Named<'a> {
    /// A setting.
    Setting(&'a Key),
    /// The file that holds a secret.
    SecretFile,
    /// A setting of a feature that this version does not have.
    NotUsed,
    /// No setting; the nearest one, if one is near.
    Unknown(Option<String>),
}

impl Keys {
    /// The settings of a command line that is not built yet.
    pub fn of(command: &Command) -> Self {
        let mut keys = Self::default();
        keys.walk(command, "");
        keys
    }

    fn walk(&mut self, command: &Command, path: &str) {
        for arg in command.get_arguments() {
            let Some(name) = arg.get_env().map(|name| name.to_string_lossy()) else {
                continue;
            };
            let commands = (!path.is_empty()).then(|| path.to_owned());
            match self.0.iter_mut().find(|key| key.name == name) {
                Some(key) => {
                    key.is_global |= path.is_empty();
                    key.commands.extend(commands);
                }
                None => self.0.push(Key {
                    name: name.into_owned(),
                    arg: arg.clone(),
                    is_global: path.is_empty(),
                    commands: commands.into_iter().collect(),
                }),
            }
        }
        for below in command.get_subcommands() {
            let path = format!("{path} {}", below.get_name());
            self.walk(below, path.trim_start());
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &Key> {
        self.0.iter()
    }

    pub fn get(&self, name: &str) -> Option<&Key> {
        self.0.iter().find(|key| key.name == name)
    }

    /// What a name is, in the environment or in the file.
    pub fn named(&self, name: &str) -> Named<'_> {
        if let Some(key) = self.get(name) {
            return Named::Setting(key);
        }
        let of_file = name.strip_suffix(FILE_SUFFIX);
        let secret = of_file.and_then(|name| self.get(name));
        if secret.is_some_and(Key::is_secret) {
            return Named::SecretFile;
        }
        if NOT_USED.contains(&name) || of_file.is_some_and(|name| NOT_USED.contains(&name)) {
            return Named::NotUsed;
        }
        let files = self
            .0
            .iter()
            .filter(|key| key.is_secret())
            .map(Key::file_name);
        let known: Vec<String> = self
            .0
            .iter()
            .map(|key| key.name.clone())
            .chain(files)
            .collect();
        let near = mec_http::nearest(name, known.iter().map(String::as_str));
        Named::Unknown(near.map(str::to_owned))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        /// How many
        #[arg(long, env = "MEC_MANY", default_value = "2", value_parser = super::super::whole("MEC_MANY", 1..=9, "things"))]
        _many: u64,
        #[arg(long, env = "MEC_PASSWORD", hide_env_values = true, value_parser = long)]
        _password: Option<String>,
        #[arg(long, env = "MEC_SHY")]
        _shy: bool,
    }

    fn long(text: &str) -> Result<String, String> {
        let is_long = text.len() > 8;
        is_long
            .then(|| text.to_owned())
            .ok_or_else(|| "it is short".to_owned())
    }

    #[test]
    fn values_are_judged_and_secrets_are_not_repeated() {
        use clap::CommandFactory;
        let keys = Keys::of(&Cli::command());
        let check = |name: &str, text: &str, expected: Result<(), &str>| {
            let told = keys.get(name).unwrap().judge(text);
            assert_eq!(told, expected.map_err(str::to_owned), "{name} {text}");
        };
        check("MEC_MANY", "9", Ok(()));
        check(
            "MEC_MANY",
            "10",
            Err("MEC_MANY is a whole number of things from 1 to 9, not '10'"),
        );
        check("MEC_PASSWORD", "a long password", Ok(()));
        check("MEC_PASSWORD", "short", Err("MEC_PASSWORD: it is short"));
        check("MEC_SHY", "true", Ok(()));
        check(
            "MEC_SHY",
            "perhaps",
            Err("MEC_SHY is one of true, false, not 'perhaps'"),
        );
    }
}
