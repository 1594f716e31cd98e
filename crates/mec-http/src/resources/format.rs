//! The media type of rows, chosen by `Accept`, and rows in it.

use axum::http::HeaderValue;
use axum::http::header::HeaderMap;
use mec_query::rows::{Cell, Rows, write_text};

use crate::error::ApiError;
use crate::reply::accept::{liked_best, thousandths};
use crate::reply::nulls::stripped;

/// How rows are written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Format {
    kind: Kind,
    strips_nulls: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Json,
    Array,
    Object,
    Csv,
}

impl Default for Format {
    fn default() -> Self {
        Self {
            kind: Kind::Json,
            strips_nulls: false,
        }
    }
}

impl Format {
    /// The format that the client likes best of those that there are.
    pub fn choose(headers: &HeaderMap) -> Result<Self, ApiError> {
        liked_best(headers, Self::default(), acceptable).ok_or_else(|| {
            let hint = "application/json, application/vnd.pgrst.object+json, \
                        application/vnd.pgrst.array+json or text/csv";
            ApiError::new("PGRST107", "none of the accepted media types can be given")
                .with_details("Accept")
                .with_hint(Some(hint))
        })
    }

    /// `Content-Type`.
    pub fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match (self.kind, self.strips_nulls) {
            (Kind::Json, _) => "application/json",
            (Kind::Array, false) => "application/vnd.pgrst.array+json",
            (Kind::Array, true) => "application/vnd.pgrst.array+json; nulls=stripped",
            (Kind::Object, false) => "application/vnd.pgrst.object+json",
            (Kind::Object, true) => "application/vnd.pgrst.object+json; nulls=stripped",
            (Kind::Csv, _) => "text/csv; charset=utf-8",
        })
    }

    /// Whether one object is asked for, so that another number of rows is an error.
    pub fn is_object(self) -> bool {
        self.kind == Kind::Object
    }

    /// The rows in this format.
    pub fn write(self, names: &[&str], rows: &Rows) -> Result<String, ApiError> {
        match self.kind {
            Kind::Csv => csv(names, rows),
            Kind::Json | Kind::Array => {
                let mut out = String::new();
                let names = quoted(names);
                out.push('[');
                for (index, row) in rows.rows.iter().enumerate() {
                    if index > 0 {
                        out.push_str(",\n ");
                    }
                    self.object(&names, row, &mut out);
                    if index == 0 {
                        // The others are about as long.
                        out.reserve((out.len() + 2).saturating_mul(rows.rows.len()));
                    }
                }
                out.push(']');
                Ok(out)
            }
            Kind::Object => match rows.rows.as_slice() {
                [row] => {
                    let mut out = String::new();
                    self.object(&quoted(names), row, &mut out);
                    Ok(out)
                }
                other => Err(not_one(other.len())),
            },
        }
    }

    fn object(self, names: &[String], row: &[Cell], out: &mut String) {
        out.push('{');
        let mut is_first = true;
        for (name, cell) in names.iter().zip(row) {
            if self.strips_nulls && *cell == Cell::Null {
                continue;
            }
            if !is_first {
                out.push(',');
            }
            is_first = false;
            out.push_str(name);
            match cell {
                Cell::Json(json) if self.strips_nulls => out.push_str(&stripped(json)),
                cell => cell.write_json(out),
            }
        }
        out.push('}');
    }
}

/// The error of a result that is not one row.
pub fn not_one(rows: usize) -> ApiError {
    let details = format!("The result contains {rows} rows");
    let message = "JSON object requested, multiple (or no) rows returned";
    ApiError::new("PGRST116", message).with_details(details)
}

/// Names as JSON writes them before a value.
fn quoted(names: &[&str]) -> Vec<String> {
    let quoted = names.iter().map(|name| {
        let mut out = String::with_capacity(name.len() + 3);
        write_text(name, &mut out);
        out.push(':');
        out
    });
    quoted.collect()
}

fn csv(names: &[&str], rows: &Rows) -> Result<String, ApiError> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::Any(b'\n'))
        .from_writer(Vec::new());
    let failed = |_| ApiError::internal();
    writer.write_record(names).map_err(failed)?;
    for row in &rows.rows {
        let fields = row.iter().map(field);
        writer.write_record(fields).map_err(failed)?;
    }
    let mut bytes = writer.into_inner().map_err(|_| ApiError::internal())?;
    // Lines are parted by their ends: who splits the text at them finds no empty row behind the last.
    if !rows.rows.is_empty() {
        bytes.pop();
    }
    String::from_utf8(bytes).map_err(|_| ApiError::internal())
}

/// A value as CSV has it: what is true or false as PostgreSQL writes it.
fn field(cell: &Cell) -> String {
    match cell {
        Cell::Boolean(true) => "t".to_owned(),
        Cell::Boolean(false) => "f".to_owned(),
        cell => cell.to_text().unwrap_or_default(),
    }
}

/// The format that a range of `Accept` asks for, with its weight in thousandths.
fn acceptable(range: &str) -> Option<(u16, Format)> {
    let mut parts = range.split(';').map(str::trim);
    let kind = match parts.next()?.to_ascii_lowercase().as_str() {
        "*/*" | "application/*" | "application/json" => Kind::Json,
        "application/vnd.pgrst.array+json" | "application/vnd.pgrst.array" => Kind::Array,
        "application/vnd.pgrst.object+json" | "application/vnd.pgrst.object" => Kind::Object,
        "text/csv" | "text/*" => Kind::Csv,
        _ => return None,
    };
    let mut weight = 1000;
    let mut strips_nulls = false;
    for parameter in parts {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        match name.trim().to_ascii_lowercase().as_str() {
            "q" => weight = thousandths(value.trim())?,
            "charset" if value.trim().eq_ignore_ascii_case("utf-8") => {}
            "nulls" if value.trim() == "stripped" && matches!(kind, Kind::Array | Kind::Object) => {
                strips_nulls = true;
            }
            // Other parameters change what is asked for.
            _ => return None,
        }
    }
    (weight > 0).then_some((weight, Format { kind, strips_nulls }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::header::ACCEPT;

    fn format(accept: &str) -> Option<Format> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, accept.parse().unwrap());
        Format::choose(&headers).ok()
    }

    fn rows() -> Rows {
        Rows {
            rows: vec![vec![
                Cell::Text("a \"b\", c".to_owned()),
                Cell::Null,
                Cell::Decimal(1_500_000),
                Cell::Json(r#"{"x":null,"y":[{"z":null}]}"#.to_owned()),
                Cell::Boolean(true),
            ]],
            total: None,
        }
    }

    #[track_caller]
    fn check(accept: &str, expected: &str) {
        let names = ["t", "n", "d", "j", "b"];
        let written = format(accept).unwrap().write(&names, &rows()).unwrap();
        assert_eq!(written, expected);
    }

    #[test]
    fn rows_in_each_format() {
        check(
            "*/*",
            r#"[{"t":"a \"b\", c","n":null,"d":1.5,"j":{"x":null,"y":[{"z":null}]},"b":true}]"#,
        );
        check(
            "application/vnd.pgrst.object+json;nulls=stripped",
            r#"{"t":"a \"b\", c","d":1.5,"j":{"y":[{}]},"b":true}"#,
        );
        check(
            "text/csv",
            "t,n,d,j,b\n\"a \"\"b\"\", c\",,1.5,\"{\"\"x\"\":null,\"\"y\"\":[{\"\"z\"\":null}]}\",t",
        );
    }

    #[test]
    fn one_object_is_one_row() {
        let object = format("application/vnd.pgrst.object+json").unwrap();
        let none = Rows::default();
        assert_eq!(object.write(&["t"], &none).unwrap_err().code(), "PGRST116");
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for accept in ["image/png", "application/geo+json", "application/json;q=0"] {
            assert_eq!(format(accept), None, "{accept}");
        }
    }
}
