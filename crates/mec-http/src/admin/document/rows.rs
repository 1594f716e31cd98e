//! Documents as flat rows of named values: what is compared, and what is printed as TOML.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;
use utoipa::ToSchema;

/// One row.
pub struct Row {
    pub kind: &'static str,
    /// The heading above it in TOML.
    pub heading: &'static str,
    pub name: String,
    pub fields: Vec<Field>,
}

/// A field with its value in TOML, and whether it may go unsaid.
pub type Field = (&'static str, String, bool);

/// What a change does to one row.
#[derive(Debug, Serialize, ToSchema)]
pub struct Change {
    /// `added`, `changed` or `removed`.
    change: &'static str,
    /// What kind of row, such as `resource type`, `plan`, `template` or `control rule`.
    kind: &'static str,
    name: String,
    fields: Vec<FieldChange>,
}

/// What a change does to one value; values are written as in TOML.
#[derive(Debug, Serialize, ToSchema)]
pub struct FieldChange {
    field: &'static str,
    before: Option<String>,
    after: Option<String>,
}

/// What becomes of the rows of a document.
pub fn changes(before: &[Row], after: &[Row]) -> Vec<Change> {
    let key = |row: &Row| (row.kind, row.name.clone());
    let old: BTreeMap<_, &Row> = before.iter().map(|row| (key(row), row)).collect();
    let new: BTreeMap<_, &Row> = after.iter().map(|row| (key(row), row)).collect();
    let told = |change, row: &Row, fields| Change {
        change,
        kind: row.kind,
        name: row.name.clone(),
        fields,
    };
    let kept = after.iter().filter_map(|row| {
        let Some(old) = old.get(&key(row)) else {
            let said = row.fields.iter().filter(|(.., unsaid)| !unsaid);
            let fields = said.map(|(field, value, _)| FieldChange {
                field,
                before: None,
                after: Some(value.clone()),
            });
            return Some(told("added", row, fields.collect()));
        };
        let pairs = old.fields.iter().zip(&row.fields);
        let fields: Vec<FieldChange> = pairs
            .filter(|(old, new)| old.1 != new.1)
            .map(|(old, new)| FieldChange {
                field: new.0,
                before: Some(old.1.clone()),
                after: Some(new.1.clone()),
            })
            .collect();
        (!fields.is_empty()).then(|| told("changed", row, fields))
    });
    let gone = before
        .iter()
        .filter(|row| !new.contains_key(&key(row)))
        .map(|row| told("removed", row, Vec::new()));
    kept.chain(gone).collect()
}

/// Writes rows as tables of TOML, each below its heading.
pub fn write_rows(text: &mut String, rows: &[Row]) {
    for row in rows {
        // Writing into a string does not fail.
        let _ = write!(text, "\n[[{}]]\n", row.heading);
        for (field, value, unsaid) in &row.fields {
            if !unsaid {
                let _ = writeln!(text, "{field} = {value}");
            }
        }
    }
}

pub fn text(field: &'static str, value: &str) -> Field {
    (field, quoted(value), value.is_empty())
}

pub fn flag(field: &'static str, value: bool, usual: bool) -> Field {
    (field, value.to_string(), value == usual)
}

pub fn maybe(field: &'static str, value: Option<impl ToString>) -> Field {
    let unsaid = value.is_none();
    let shown = value.map_or_else(|| "none".to_owned(), |value| value.to_string());
    (field, shown, unsaid)
}

/// A text as TOML writes it on one line.
pub fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            letter if letter.is_control() => {
                // Writing into a string does not fail.
                let _ = write!(quoted, "\\u{:04X}", u32::from(letter));
            }
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}
