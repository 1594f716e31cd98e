//! Reading a command line over the environment and the settings file.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::builder::Resettable;
use clap::{ArgMatches, Args, Command, FromArgMatches, Id};

use super::file::{self, SettingsFile};
use super::keys::Keys;
use super::layers::{Environment, Layers, Origin};
use super::values::Values;
use super::wrong::{Warning, Wrong};
use super::{check, risks};
use crate::serve::ServeArgs;

/// Which settings file is read.
#[derive(Args, Clone, Debug)]
pub struct ConfigFile {
    /// The settings file; without it ./mec.toml, else mec.toml in the data folder, where there is one
    #[arg(
        long,
        env = "MEC_CONFIG",
        value_name = "FILE",
        global = true,
        hide_short_help = true
    )]
    config: Option<PathBuf>,
}

/// The settings of a process.
#[derive(Debug)]
pub struct Settings {
    /// The file that was read.
    pub file: Option<PathBuf>,
    pub values: Values,
    /// What is wrong, in the file and in values of whatever command.
    pub wrong: Vec<Wrong>,
    /// What is doubtful.
    pub warnings: Vec<Warning>,
    /// The command that is run, as `account create`.
    command: String,
    keys: Keys,
    layers: Layers,
}

impl Settings {
    /// Settings as they are without any flag.
    ///
    /// # Errors
    /// Something is required that nobody gives.
    pub fn of<T: Args>(&self) -> Result<T, clap::Error> {
        let command = over(T::augment_args(Command::new("mec")), &self.layers);
        T::from_arg_matches(&command.try_get_matches_from(["mec"])?)
    }

    /// All that would stop `mec serve` with these arguments.
    pub fn all_wrong(&self, args: &ServeArgs) -> Vec<String> {
        let mut checked = check(&self.values);
        if let Err(error) = args.check() {
            checked.push(Wrong::everywhere(format!("{error:#}")));
        }
        // A value that is wrong by itself is as if it were not set, which is not worth a second sentence.
        let is_new = |wrong: &&Wrong| {
            let mut wrongs = self.wrong.iter();
            wrong.name.is_none() || wrongs.all(|other| other.name != wrong.name)
        };
        let all = self.wrong.iter().chain(checked.iter().filter(is_new));
        all.map(|wrong| wrong.sentence.clone()).collect()
    }

    /// All that is doubtful in a server with these settings.
    pub fn all_warnings(&self) -> Vec<Warning> {
        let risks = risks::of(&self.values);
        self.warnings.iter().cloned().chain(risks).collect()
    }

    /// What keeps the command from running.
    pub fn stops(&self) -> Vec<&str> {
        let stops = |wrong: &&Wrong| match &wrong.name {
            None => true,
            Some(name) => self
                .keys
                .get(name)
                .is_none_or(|key| key.is_of(&self.command)),
        };
        let wrong = self.wrong.iter().filter(stops);
        wrong.map(|wrong| wrong.sentence.as_str()).collect()
    }
}

/// Reads a command line: flags before the environment, that before the file, and defaults for the rest.
///
/// Values that are wrong are left out and told in the settings; the default stands in for them.
///
/// # Errors
/// The command line is wrong, or asks for help.
pub fn read<T: FromArgMatches>(
    command: Command,
    argv: &[OsString],
    environment: &Environment,
) -> Result<(T, Settings), clap::Error> {
    let keys = Keys::of(&command);
    let found = find(&command, argv);
    let (file, unreadable) = match found.path.as_deref().map(SettingsFile::read) {
        None => (None, None),
        Some(Ok(file)) => (Some(file), None),
        Some(Err(sentence)) => (None, Some(Wrong::everywhere(sentence))),
    };
    let mut layers = Layers::read(&keys, environment, file.as_ref());
    layers.wrong.extend(unreadable);
    if let Some(file) = file.as_ref().filter(|_| found.in_data_folder)
        && let Some(entry) = file.get("MEC_DATA_DIR")
    {
        let place = file.place(entry.line);
        let told = format!("{place}: MEC_DATA_DIR has led to this file and cannot stand in it");
        layers.wrong.push(Wrong::everywhere(told));
    }
    layers.warnings.extend(found.warning);
    let mut matches = over(command, &layers).try_get_matches_from(argv)?;
    let settings = Settings {
        file: file.map(|file| file.path),
        values: Values::of(&keys, &layers.given, &matches),
        wrong: layers.wrong.clone(),
        warnings: layers.warnings.clone(),
        command: path_of(&matches),
        keys,
        layers,
    };
    Ok((T::from_arg_matches_mut(&mut matches)?, settings))
}

/// The command with what is given as its defaults. What the environment gives rightly, it finds itself.
fn over(command: Command, layers: &Layers) -> Command {
    let command = command.mut_args(|arg| {
        // Values of the file count as defaults, of which none fulfils what another argument requires. What must
        // stand together is looked at in `check`.
        let arg = match arg.get_env() {
            Some(_) => arg.requires(Resettable::<Id>::Reset),
            None => arg,
        };
        let Some(name) = arg
            .get_env()
            .map(|name| name.to_string_lossy().into_owned())
        else {
            return arg;
        };
        if layers
            .wrong
            .iter()
            .any(|wrong| wrong.name.as_ref() == Some(&name))
        {
            return arg.env(None::<&'static str>);
        }
        match layers.given.get(&name) {
            Some(given) if given.origin == Origin::Environment && given.secret_file.is_none() => {
                arg
            }
            Some(given) => {
                let hidden = arg.is_hide_env_values_set();
                arg.hide_default_value(hidden)
                    .default_value(given.text.clone())
            }
            None => arg,
        }
    });
    command.mut_subcommands(|below| over(below, layers))
}

/// The file to read.
#[derive(Default)]
struct Found {
    path: Option<PathBuf>,
    in_data_folder: bool,
    warning: Option<Warning>,
}

/// Finds the file: what names it must be known before anything else is.
fn find(command: &Command, argv: &[OsString]) -> Found {
    // Other arguments may be wrong at this point; they are judged later.
    let lenient = command.clone().ignore_errors(true).disable_help_flag(true);
    let Ok(matches) = lenient.try_get_matches_from(argv) else {
        return Found::default();
    };
    let checked = path_of(&matches) == "config check";
    let named = checked.then(|| path(&matches, "file")).flatten();
    if let Some(named) = named.or_else(|| path(&matches, "config")) {
        return Found {
            path: Some(named),
            ..Found::default()
        };
    }
    let here = PathBuf::from(file::NAME);
    let folder = path(&matches, "data_dir");
    let there = folder
        .map(|folder| folder.join(file::NAME))
        .filter(|path| is_there(path));
    if !is_there(&here) {
        return Found {
            path: there,
            in_data_folder: true,
            warning: None,
        };
    }
    let warning = there.map(|there| {
        let (there, here) = (there.display(), here.display());
        let says = format!("{there} is not read, since there is {here} in the working folder");
        Warning::new(says, "name one with --config, or move one away")
    });
    Found {
        path: Some(here),
        in_data_folder: false,
        warning,
    }
}

fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// A path among the arguments of the command that is run, or of one above it.
fn path(matches: &ArgMatches, id: &str) -> Option<PathBuf> {
    let below = matches.subcommand().and_then(|(_, below)| path(below, id));
    below.or_else(|| matches.try_get_one::<PathBuf>(id).ok().flatten().cloned())
}

fn path_of(matches: &ArgMatches) -> String {
    let mut names = Vec::new();
    let mut matches = matches;
    while let Some((name, below)) = matches.subcommand() {
        names.push(name);
        matches = below;
    }
    names.join(" ")
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;

    #[derive(Parser, Debug)]
    struct Cli {
        #[command(flatten)]
        config: ConfigFile,
        #[arg(long, env = "X_LEVEL", default_value = "1", global = true)]
        level: u8,
        #[command(subcommand)]
        command: Below,
    }

    #[derive(clap::Subcommand, Debug)]
    enum Below {
        Serve {
            #[arg(long, env = "X_NAMES", value_delimiter = ',')]
            names: Vec<String>,
            #[arg(long, env = "X_CERT", requires = "key")]
            cert: Option<String>,
            #[arg(long, env = "X_KEY", requires = "cert")]
            key: Option<String>,
            #[arg(long, env = "X_SHY")]
            shy: bool,
        },
        Other,
    }

    /// What a command line is over a file, and what stops it.
    fn check(file: &str, args: &[&str], expected: &str) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings");
        std::fs::write(&path, file).unwrap();
        let mut argv: Vec<OsString> = vec!["mec".into(), "--config".into(), path.into()];
        argv.extend(args.iter().map(OsString::from));
        let (cli, settings) =
            super::read::<Cli>(Cli::command(), &argv, &Environment::new()).unwrap();
        let stops = settings.stops().len();
        assert_eq!(format!("{} {:?} {stops}", cli.level, cli.command), expected);
        assert!(cli.config.config.is_some());
    }

    #[test]
    fn the_file_says_what_no_flag_says() {
        let serve = |names: &str, cert: &str, key: &str, shy: bool| {
            format!("Serve {{ names: {names}, cert: {cert}, key: {key}, shy: {shy} }}")
        };
        let none = serve("[]", "None", "None", false);
        check("", &["serve"], &format!("1 {none} 0"));
        check("X_LEVEL = 2", &["serve"], &format!("2 {none} 0"));
        check(
            "X_LEVEL = 2",
            &["serve", "--level=3"],
            &format!("3 {none} 0"),
        );
        check("X_LEVEL = 2", &["--level=3", "other"], "3 Other 0");
        let all = serve(r#"["a", "b"]"#, r#"Some("c")"#, r#"Some("k")"#, true);
        let file = "X_NAMES = ['a', 'b']\nX_CERT = 'c'\nX_KEY = 'k'\nX_SHY = true";
        check(file, &["serve"], &format!("1 {all} 0"));
        // What stands in the file fulfils what a flag requires.
        let both = serve("[]", r#"Some("c")"#, r#"Some("k")"#, false);
        check(
            "X_KEY = 'k'",
            &["serve", "--cert=c"],
            &format!("1 {both} 0"),
        );
        // The default stands in for what is wrong, which stops whoever uses it.
        check("X_LEVEL = 256", &["other"], "1 Other 1");
        check("X_SHY = 'perhaps'", &["serve"], &format!("1 {none} 1"));
        check("X_SHY = 'perhaps'", &["other"], "1 Other 0");
        check("X_SHYY = true", &["other"], "1 Other 1");
    }
}
