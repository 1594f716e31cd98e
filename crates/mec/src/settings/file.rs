//! The settings file: the names of the environment, each with a value.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use toml::{Spanned, Value};

/// Its name, in the working folder or in the data folder.
pub const NAME: &str = "mec.toml";
/// The largest file that is read, in bytes.
const MAX_BYTES: u64 = 1024 * 1024;

/// A file that was read.
#[derive(Clone, Debug)]
pub struct SettingsFile {
    pub path: PathBuf,
    pub entries: Vec<Entry>,
}

/// One line of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry {
    pub line: usize,
    pub name: String,
    /// The value as the environment has it; else why it is none.
    pub value: Result<Text, &'static str>,
}

/// A value, and whether it was written as a list.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Text {
    pub text: String,
    pub is_list: bool,
}

impl SettingsFile {
    /// Reads a file.
    ///
    /// # Errors
    /// A sentence, with the line where there is one.
    pub fn read(path: &Path) -> Result<Self, String> {
        let shown = path.display();
        let size =
            fs::metadata(path).map_err(|error| format!("{shown} cannot be read: {error}"))?;
        if size.len() > MAX_BYTES {
            return Err(format!("{shown} has more than {MAX_BYTES} bytes"));
        }
        let text = fs::read_to_string(path);
        let text = text.map_err(|error| format!("{shown} cannot be read: {error}"))?;
        let entries =
            entries(&text).map_err(|(line, why)| format!("{shown}: line {line}: {why}"))?;
        Ok(Self {
            path: path.to_owned(),
            entries,
        })
    }

    /// The entry of a name.
    pub fn get(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.name == name)
    }

    /// Where an entry stands, for people.
    pub fn place(&self, line: usize) -> String {
        format!("{}: line {line}", self.path.display())
    }
}

/// The entries of a text in the order of its lines; else the line and what is wrong with it.
fn entries(text: &str) -> Result<Vec<Entry>, (usize, String)> {
    let table: Result<BTreeMap<Spanned<String>, Value>, _> = toml::from_str(text);
    let table = table.map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        let why = error.message().split_whitespace().collect::<Vec<_>>();
        (line_at(text, at), why.join(" "))
    })?;
    let mut entries: Vec<Entry> = table
        .into_iter()
        .map(|(name, value)| Entry {
            line: line_at(text, name.span().start),
            value: text_of(value),
            name: name.into_inner(),
        })
        .collect();
    entries.sort_by_key(|entry| entry.line);
    Ok(entries)
}

fn line_at(text: &str, byte: usize) -> usize {
    let before = text.as_bytes().iter().take(byte);
    before.filter(|byte| **byte == b'\n').count() + 1
}

fn text_of(value: Value) -> Result<Text, &'static str> {
    let (texts, is_list) = match value {
        Value::Array(values) => (
            values.into_iter().map(one).collect::<Result<Vec<_>, _>>()?,
            true,
        ),
        value => (vec![one(value)?], false),
    };
    Ok(Text {
        text: texts.join(","),
        is_list,
    })
}

fn one(value: Value) -> Result<String, &'static str> {
    match value {
        Value::String(text) => Ok(text),
        Value::Integer(number) => Ok(number.to_string()),
        Value::Float(number) => Ok(number.to_string()),
        Value::Boolean(is) => Ok(is.to_string()),
        Value::Datetime(time) => Ok(time.to_string()),
        Value::Table(_) => {
            Err("is a table; settings stand at the top, as in MEC_LISTEN = \"127.0.0.1:8000\"")
        }
        Value::Array(_) => Err("is a list in a list"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The entries as `line name=value`.
    fn read(text: &str) -> Result<Vec<String>, (usize, String)> {
        let said = |entry: Entry| {
            let value = match entry.value {
                Ok(text) if text.is_list => format!("[{}]", text.text),
                Ok(text) => text.text,
                Err(why) => format!("! {why}"),
            };
            format!("{} {}={value}", entry.line, entry.name)
        };
        Ok(entries(text)?.into_iter().map(said).collect())
    }

    #[test]
    fn texts_numbers_and_booleans_are_values() {
        let check =
            |text: &str, expected: &[&str]| assert_eq!(read(text).unwrap(), expected, "{text}");
        check("", &[]);
        check("# nothing\n\n", &[]);
        check("B = \"x\"\n# between\nA = 1_000\n", &["1 B=x", "3 A=1000"]);
        check(
            "A = true\nB = 0.5\nC = ''",
            &["1 A=true", "2 B=0.5", "3 C="],
        );
        check(
            "A = [\n \"x\",\n \"y\",\n]\nB = [1]",
            &["1 A=[x,y]", "5 B=[1]"],
        );
        check("A = [[1]]", &["1 A=! is a list in a list"]);
        let told = read("\n[serve]\nA = 1").unwrap();
        assert!(
            told[0].starts_with("2 serve=! is a table; settings stand"),
            "{told:?}"
        );
    }

    #[test]
    fn what_is_no_toml_is_refused_with_its_line() {
        let check = |text: &str, line: usize, part: &str| {
            let (at, why) = read(text).unwrap_err();
            assert!(at == line && why.contains(part), "{text}: {at} {why}");
        };
        check("A = 1\nB = \n", 2, "value");
        check("A = 1\nB = 2\nA = 3\n", 3, "duplicate key");
        check("A = \"open", 1, "string");
        check("A 1", 1, "");
    }
}
