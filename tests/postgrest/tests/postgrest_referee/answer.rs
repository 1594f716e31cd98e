//! An answer, and what of it must be the same: status, Content-Range, error code, and the body by its values.

use axum::http::HeaderMap;
use mec_core::Timestamp;
use serde_json::Value;

/// What a door answered.
#[derive(Clone, Debug)]
pub struct Answer {
    status: u16,
    content_range: Option<String>,
    is_csv: bool,
    pub body: String,
}

impl Answer {
    pub fn new(status: u16, headers: &HeaderMap, body: String) -> Self {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        Self {
            status,
            content_range: header("content-range").map(str::to_owned),
            is_csv: header("content-type").is_some_and(|media| media.starts_with("text/csv")),
            body,
        }
    }

    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The code of the error that it is.
    pub fn code(&self) -> Option<String> {
        if self.is_success() {
            return None;
        }
        let body: Value = serde_json::from_str(&self.body).ok()?;
        Some(body["code"].as_str()?.to_owned())
    }

    /// Its status, and its code where it is an error.
    pub fn outcome(&self) -> String {
        match self.code() {
            Some(code) => format!("{} {code}", self.status),
            None => self.status.to_string(),
        }
    }

    /// What a line of the differences may say of it.
    pub fn tag(&self) -> &'static str {
        let is_empty = |range: &String| range.starts_with('*');
        match &self.content_range {
            Some(range) if is_empty(range) => "#empty",
            _ => "",
        }
    }

    /// Its rows by their values; in any order where none was asked for.
    fn values(&self, is_ordered: bool, is_ordered_within: bool) -> Value {
        if !self.is_success() {
            return Value::Null;
        }
        let read = if self.is_csv {
            table(&self.body)
        } else if self.body.is_empty() {
            Value::Null
        } else {
            let read = serde_json::from_str(&shortened(&self.body));
            read.unwrap_or_else(|_| Value::from(self.body.clone()))
        };
        match read {
            Value::Array(rows) => {
                let rows = rows.into_iter().map(|row| plain(row, is_ordered_within));
                arranged(rows.collect(), is_ordered)
            }
            other => plain(other, is_ordered_within),
        }
    }

    /// What differs in the other's answer to the same request; none where nothing does.
    pub fn difference(&self, other: &Self, (rows, embedded): (bool, bool)) -> Option<String> {
        let (ours, theirs) = (other.outcome(), self.outcome());
        if ours != theirs {
            return Some(ours);
        }
        if self.is_success() && self.content_range != other.content_range {
            return Some(format!("{ours} other range"));
        }
        let is_same = self.values(rows, embedded) == other.values(rows, embedded);
        (!is_same).then(|| format!("{ours} other rows"))
    }

    /// Where the rows of both begin to differ.
    pub fn parting(&self, other: &Self, (rows, embedded): (bool, bool)) -> String {
        let [own, others] = [self, other].map(|answer| answer.values(rows, embedded).to_string());
        let letters = own.chars().zip(others.chars());
        let same = letters.take_while(|(own, other)| own == other).count();
        let from = |text: &str| -> String {
            text.chars()
                .skip(same.saturating_sub(30))
                .take(90)
                .collect()
        };
        format!("{} | {}", from(&own), from(&others))
    }

    /// Whether nothing at all differs that a client sees, but for the moment.
    pub fn is_exactly(&self, other: &Self) -> bool {
        (self.status, &self.content_range, self.code())
            == (other.status, &other.content_range, other.code())
            && (!self.is_success()
                || self.body == other.body
                || self.values(true, true) == other.values(true, true))
    }

    pub fn shown(&self) -> String {
        let body: String = self.body.chars().take(600).collect();
        format!("{} {:?} {body}", self.status, self.content_range)
    }
}

/// CSV as an array of its lines, each an array of its fields.
fn table(text: &str) -> Value {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let lines = reader.records().map(|line| {
        let line = line.unwrap();
        line.iter().map(field).collect::<Value>()
    });
    lines.collect()
}

/// A field as what it says: JSON, a number or a moment is one, however it is written.
fn field(text: &str) -> Value {
    if text.starts_with(['{', '[']) {
        return serde_json::from_str(text).unwrap_or_else(|_| text.into());
    }
    let is_number = |letter: char| letter.is_ascii_digit() || letter == '.' || letter == '-';
    if text.chars().all(is_number) {
        return shortened(text).into();
    }
    let written = text.replacen(' ', "T", 1).replace("+00", "+00:00");
    match Timestamp::parse(&written) {
        Ok(_) if text.len() > 18 => written.into(),
        _ => text.into(),
    }
}

/// JSON whose numbers have no zeros at the end of their fractions, so that equal ones are written alike.
fn shortened(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let (mut is_within, mut is_escaped, mut fraction) = (false, false, None);
    for letter in json.chars().chain([' ']) {
        if let Some(begin) = fraction
            && !letter.is_ascii_digit()
        {
            let kept = out.trim_end_matches('0').len().max(begin);
            out.truncate(if kept == begin { begin - 1 } else { kept });
            fraction = None;
        }
        out.push(letter);
        match letter {
            '"' if !is_escaped => is_within = !is_within,
            '.' if !is_within => fraction = Some(out.len()),
            _ => {}
        }
        is_escaped = letter == '\\' && !is_escaped;
    }
    out.pop();
    out
}

/// JSON that is told as its text.
fn read(value: Value) -> Value {
    let read = value
        .as_str()
        .and_then(|text| serde_json::from_str(text).ok());
    read.unwrap_or(value)
}

fn arranged(mut rows: Vec<Value>, is_ordered: bool) -> Value {
    if !is_ordered {
        rows.sort_by_cached_key(Value::to_string);
    }
    Value::Array(rows)
}

/// A value so that two which mean the same are equal.
fn plain(value: Value, is_ordered: bool) -> Value {
    match value {
        Value::Number(number) => match number.as_i64() {
            Some(whole) => format!("number {whole}").into(),
            None => format!("number {}", number.as_f64().unwrap_or_default()).into(),
        },
        Value::String(text) => match Timestamp::parse(&text) {
            Ok(at) if text.contains('T') => format!("moment {}", at.as_micros()).into(),
            _ => text.into(),
        },
        Value::Array(elements) => {
            let elements = elements.into_iter().map(|value| plain(value, is_ordered));
            arranged(elements.collect(), is_ordered)
        }
        Value::Object(members) => {
            let members = members.into_iter().map(|(name, value)| {
                // It is another every second.
                let value = match name.as_str() {
                    "seconds_until_expiry" if value.is_i64() => "some".into(),
                    // The view has the text that MEC tells as the JSON that it is.
                    "session_metadata" => plain(read(value), is_ordered),
                    _ => plain(value, is_ordered),
                };
                (name, value)
            });
            Value::Object(members.collect())
        }
        other => other,
    }
}
