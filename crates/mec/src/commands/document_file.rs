//! A document as a file: TOML with the line of every value, and the JSON that says the same.

use std::collections::HashMap;

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A file that was read.
#[derive(Debug)]
pub struct File {
    /// What it says.
    pub json: String,
    /// The line of every key and table, by its place.
    lines: HashMap<String, usize>,
}

impl File {
    /// The line of a place; of the nearest one around it where it has none of its own.
    pub fn line_of(&self, place: &str) -> usize {
        let mut place = place;
        loop {
            if let Some(line) = self.lines.get(place) {
                return *line;
            }
            match place.rfind(['.', '[']) {
                Some(end) => place = place.get(..end).unwrap_or_default(),
                None => return 1,
            }
        }
    }
}

/// Reads a file, or says in which lines it is no TOML.
pub fn read(text: &str) -> Result<File, Vec<(usize, String)>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        let faults = errors.iter().map(|error| {
            let at = error.span().map_or(0, |span| span.start);
            (line_at(text, at), error.message().replace('\n', ": "))
        });
        let mut faults: Vec<_> = faults.collect();
        // One slip of the pen is often told in several ways.
        faults.sort_by_key(|(line, _)| *line);
        faults.dedup_by_key(|(line, _)| *line);
        return Err(faults);
    }
    let mut reading = Reading {
        text,
        lines: HashMap::new(),
        json: String::new(),
    };
    reading.table(table.get_ref(), "");
    Ok(File {
        json: reading.json,
        lines: reading.lines,
    })
}

/// The number, from 1, of the line at a byte.
fn line_at(text: &str, at: usize) -> usize {
    let before = text.as_bytes().iter().take(at);
    before.filter(|byte| **byte == b'\n').count() + 1
}

struct Reading<'t> {
    text: &'t str,
    lines: HashMap<String, usize>,
    json: String,
}

impl Reading<'_> {
    fn table(&mut self, table: &DeTable<'_>, place: &str) {
        self.json.push('{');
        for (index, (key, value)) in table.iter().enumerate() {
            if index > 0 {
                self.json.push(',');
            }
            let dot = if place.is_empty() { "" } else { "." };
            let here = format!("{place}{dot}{}", key.get_ref());
            self.mark(&here, key.span().start);
            self.push_text(key.get_ref());
            self.json.push(':');
            self.value(value, &here);
        }
        self.json.push('}');
    }

    fn value(&mut self, value: &Spanned<DeValue<'_>>, place: &str) {
        match value.get_ref() {
            DeValue::Boolean(flag) => self.json.push_str(&flag.to_string()),
            DeValue::Integer(number) if number.radix() == 10 => self.number(number.as_str()),
            DeValue::Float(number) => self.number(number.as_str()),
            DeValue::Integer(number) => self.push_text(&number.to_string()),
            DeValue::String(text) => self.push_text(text),
            DeValue::Datetime(time) => self.push_text(&time.to_string()),
            DeValue::Table(table) => self.table(table, place),
            DeValue::Array(values) => {
                self.json.push('[');
                for (index, value) in values.iter().enumerate() {
                    if index > 0 {
                        self.json.push(',');
                    }
                    let here = format!("{place}[{index}]");
                    self.mark(&here, value.span().start);
                    self.value(value, &here);
                }
                self.json.push(']');
            }
        }
    }

    fn mark(&mut self, place: &str, at: usize) {
        let line = line_at(self.text, at);
        self.lines.insert(place.to_owned(), line);
    }

    /// A number with its digits; what JSON knows no number for goes as a text, which is then refused.
    fn number(&mut self, digits: &str) {
        let digits = digits.strip_prefix('+').unwrap_or(digits);
        match serde_json::from_str::<serde_json::Number>(digits) {
            Ok(_) => self.json.push_str(digits),
            Err(_) => self.push_text(digits),
        }
    }

    fn push_text(&mut self, text: &str) {
        self.json.push_str(&Value::from(text).to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn values_keep_their_digits_and_lines() {
        let text = "version = 3\n\n[[plans]]\nplan_id = \"a\\\"b\"\n\n[[plans.templates]]\nquantity_allowed = 123456789012.123456\nduration_days = +1_000\nother = 0x10\n";
        let file = read(text).unwrap();
        assert_eq!(
            file.json,
            r#"{"plans":[{"plan_id":"a\"b","templates":[{"duration_days":1000,"other":"0x10","quantity_allowed":123456789012.123456}]}],"version":3}"#
        );
        for (place, line) in [
            ("version", 1),
            ("plans[0]", 3),
            ("plans[0].plan_id", 4),
            ("plans[0].templates[0]", 6),
            ("plans[0].templates[0].unit_code", 6),
            ("plans[0].templates[0].quantity_allowed", 7),
            ("nothing", 1),
        ] {
            assert_eq!(file.line_of(place), line, "{place}");
        }
    }

    #[test]
    fn what_is_no_toml_is_told_by_line() {
        let faults = read("a = 1\nb = \nc = 2\n\"d = 3\n").unwrap_err();
        let lines: Vec<usize> = faults.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [2, 4], "{faults:?}");
    }
}
