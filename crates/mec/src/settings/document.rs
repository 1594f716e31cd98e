//! The settings as a file with comments, and as the table of the documentation.

use std::fmt::Write;

use super::keys::{Key, Keys};

/// The widest line of a comment, in letters.
const WIDTH: usize = 96;

const HEAD: &str = "\
# The settings of MEC. Lines that begin with # change nothing: each shows a setting with its default, or with
# what is expected where it has none. The same names are variables of the environment, which go before this
# file; flags go before both. `mec config check` says whether all is right and where each value comes from.
#
# A setting that is a secret can stand in a file of its own: NAME_FILE names it, in place of NAME.
";

/// The settings file with all settings and their defaults.
pub fn default_file(keys: &Keys) -> String {
    let mut text = HEAD.to_owned();
    // Each heading once, where it comes first.
    let mut sections: Vec<(&str, Vec<&Key>)> = Vec::new();
    for key in in_file(keys) {
        let heading = if key.is_of("serve") {
            key.arg.get_help_heading().unwrap_or("The server")
        } else {
            "Commands other than serve"
        };
        match sections.iter_mut().find(|(known, _)| *known == heading) {
            Some((_, keys)) => keys.push(key),
            None => sections.push((heading, vec![key])),
        }
    }
    for (heading, keys) in sections {
        head(&mut text, heading);
        for key in keys {
            entry(&mut text, key);
        }
    }
    text
}

/// What can stand in the file: all but what names it.
fn in_file(keys: &Keys) -> impl Iterator<Item = &Key> {
    keys.iter().filter(|key| key.name != "MEC_CONFIG")
}

fn head(text: &mut String, heading: &str) {
    // Writing to a text does not fail.
    let _ = writeln!(text, "\n# {heading}\n# {}", "-".repeat(heading.len()));
}

fn entry(text: &mut String, key: &Key) {
    text.push('\n');
    for line in wrapped(&format!("{}.", key.meaning())) {
        let _ = writeln!(text, "# {line}");
    }
    if key.is_secret() {
        let _ = writeln!(
            text,
            "# A secret; {} can name a file that holds it.",
            key.file_name()
        );
    }
    let _ = writeln!(text, "#{} = {}", key.name, example(key));
}

/// A value as TOML: the default, else what stands for it in the help.
fn example(key: &Key) -> String {
    let default = key.default_text();
    let Some(text) = default else {
        return toml::Value::from(key.value_name().unwrap_or_default()).to_string();
    };
    // A number with a zero before it, such as a mode, is none of TOML.
    let is_number = |number: i64| number.to_string() == text;
    let is_bare = text.parse().is_ok_and(is_number) || text.parse::<bool>().is_ok();
    if is_bare {
        text
    } else {
        toml::Value::from(text).to_string()
    }
}

fn wrapped(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.chars().count() + word.chars().count() < WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// The settings as rows of a table in Markdown.
pub fn table(keys: &Keys) -> String {
    let mut text =
        String::from("| setting | flag | default | of | meaning |\n|---|---|---|---|---|\n");
    for key in keys.iter() {
        let default = key.default_text().map(|default| format!("`{default}`"));
        let of = if key.is_global {
            "all".to_owned()
        } else {
            key.commands.join(", ")
        };
        let secret = if key.is_secret() {
            format!(" A secret; also `{}`.", key.file_name())
        } else {
            String::new()
        };
        let _ = writeln!(
            text,
            "| `{}` | `{}` | {} | {of} | {}.{secret} |",
            key.name,
            key.flag(),
            default.unwrap_or_default(),
            key.meaning().replace('|', "\\|"),
        );
    }
    text
}
