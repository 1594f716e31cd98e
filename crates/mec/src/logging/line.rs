//! One line of a log: the same fields as JSON for programs or as text for people, written straight into bytes.

use std::fmt::{self, Write as _};

use mec_core::Timestamp;

/// How lines are written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Format {
    Json,
    Text,
}

/// The longest text of a field, in bytes; what is longer is cut.
const MAX_TEXT_BYTES: usize = 2048;
/// What most lines fit into, in bytes.
const USUAL_BYTES: usize = 512;

/// A line that is being written.
pub struct Line {
    format: Format,
    text: String,
}

impl Line {
    /// A line's beginning: when, how grave, and of which part.
    pub fn new(format: Format, time: Timestamp, level: &str, target: &str) -> Self {
        let text = String::with_capacity(USUAL_BYTES);
        let mut line = Self { format, text };
        // Writing into a string does not fail, here and below.
        let _ = match format {
            Format::Json => {
                let head = write!(line.text, "{{\"time\":\"{time}\",\"level\":\"{level}\"");
                line.text("target", target);
                head
            }
            Format::Text => write!(line.text, "{time} {level:<5} {target}"),
        };
        line
    }

    /// A field with a text of any kind.
    pub fn text(&mut self, name: &str, value: &str) {
        let value = cut(value);
        self.name(name);
        match self.format {
            Format::Json => {
                self.text.push('"');
                push_escaped(&mut self.text, value);
                self.text.push('"');
            }
            Format::Text if value.contains([' ', '"', '=']) || has_control(value) => {
                self.text.push('"');
                push_escaped(&mut self.text, value);
                self.text.push('"');
            }
            Format::Text => self.text.push_str(value),
        }
    }

    /// A field with a text that has nothing to escape, such as a name of MEC's own.
    pub fn word(&mut self, name: &str, value: &str) {
        self.name(name);
        match self.format {
            Format::Json => {
                self.text.push('"');
                self.text.push_str(value);
                self.text.push('"');
            }
            Format::Text => self.text.push_str(value),
        }
    }

    /// A field with a number or a truth.
    pub fn plain(&mut self, name: &str, value: impl fmt::Display) {
        self.name(name);
        // Writing into a string does not fail.
        let _ = write!(self.text, "{value}");
    }

    /// The line with its end.
    pub fn end(mut self) -> String {
        self.text.push_str(match self.format {
            Format::Json => "}\n",
            Format::Text => "\n",
        });
        self.text
    }

    fn name(&mut self, name: &str) {
        let (before, after) = match self.format {
            Format::Json => (",\"", "\":"),
            Format::Text => (" ", "="),
        };
        self.text.push_str(before);
        self.text.push_str(name);
        self.text.push_str(after);
    }
}

fn cut(value: &str) -> &str {
    if value.len() <= MAX_TEXT_BYTES {
        return value;
    }
    value
        .get(..value.floor_char_boundary(MAX_TEXT_BYTES))
        .unwrap_or_default()
}

/// Whether a text holds what could end a line or steer a terminal.
fn has_control(value: &str) -> bool {
    value.chars().any(char::is_control)
}

/// Appends a text as it stands between the quotes of JSON. Control characters beyond ASCII are escaped as
/// well, since terminals heed some of them.
fn push_escaped(text: &mut String, value: &str) {
    let is_plain = |b: u8| (b' '..0x7f).contains(&b) && b != b'"' && b != b'\\';
    if value.bytes().all(is_plain) {
        text.push_str(value);
        return;
    }
    for c in value.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            c if c.is_control() => {
                let _ = write!(text, "\\u{:04x}", u32::from(c));
            }
            c => text.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(format: Format, value: &str) -> String {
        let mut line = Line::new(format, Timestamp::from_micros(1_500_000), "warn", "mec");
        line.text("message", value);
        line.plain("status", 200);
        line.word("subject", "ab");
        line.end()
    }

    #[test]
    fn a_line_of_json_says_what_it_was_given() {
        for value in [
            "plain",
            "a \"b\" \\ c",
            "two\nlines\u{7}\u{9b}",
            "Zoë 日本",
            "",
        ] {
            let line = line(Format::Json, value);
            assert_eq!(line.matches('\n').count(), 1);
            let read: serde_json::Value = serde_json::from_str(&line).unwrap();
            let expected = serde_json::json!({
                "time": "1970-01-01T00:00:01.500000+00:00", "level": "warn", "target": "mec",
                "message": value, "status": 200, "subject": "ab",
            });
            assert_eq!(read, expected);
        }
    }

    #[test]
    fn a_line_of_text_is_one_line_and_steers_no_terminal() {
        let told = line(Format::Text, "two\nlines \u{1b}[31m\u{9b}");
        let expected = "1970-01-01T00:00:01.500000+00:00 warn  mec \
                        message=\"two\\nlines \\u001b[31m\\u009b\" status=200 subject=ab\n";
        assert_eq!(told, expected);
        assert!(line(Format::Text, "word").contains(" message=word "));
    }

    #[test]
    fn what_is_too_long_is_cut() {
        let told = line(Format::Json, &"ä".repeat(10_000));
        assert!(told.len() < 2500 && serde_json::from_str::<serde_json::Value>(&told).is_ok());
    }
}
