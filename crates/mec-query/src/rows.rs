//! What a store answers: rows of typed values, in the order of the plan's outputs.

use mec_core::{Quantity, Timestamp};
use uuid::Uuid;

/// Rows, with how many there are in all where that was asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows {
    /// The rows.
    pub rows: Vec<Vec<Cell>>,
    /// How many rows fit, those before and after these included.
    pub total: Option<u64>,
}

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Nothing.
    Null,
    /// Text.
    Text(String),
    /// An id.
    Uuid(Uuid),
    /// A whole number.
    Integer(i64),
    /// True or false.
    Boolean(bool),
    /// A decimal, in millionths.
    Decimal(i128),
    /// A moment, as it is told.
    Time(Timestamp),
    /// A moment in another zone than UTC, as it is told.
    LocalTime(String),
    /// JSON, as it is written.
    Json(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

impl Cell {
    /// The value as text; none for nothing.
    pub fn to_text(&self) -> Option<String> {
        Some(match self {
            Self::Null => return None,
            Self::Text(text) | Self::LocalTime(text) | Self::Json(text) => text.clone(),
            Self::Uuid(id) => id.to_string(),
            Self::Integer(number) => number.to_string(),
            Self::Boolean(is_true) => is_true.to_string(),
            Self::Decimal(micros) => Quantity::from_micros(*micros).to_string(),
            Self::Time(at) => utc_time(*at),
            Self::Bytes(bytes) => hexadecimal(bytes),
        })
    }

    /// Writes the value as JSON.
    pub fn write_json(&self, out: &mut String) {
        use std::fmt::Write as _;
        // Writing into a string does not fail.
        let _ = match self {
            Self::Null => write!(out, "null"),
            Self::Integer(number) => write!(out, "{number}"),
            Self::Boolean(is_true) => write!(out, "{is_true}"),
            Self::Decimal(micros) => write!(out, "{}", Quantity::from_micros(*micros)),
            cell => {
                cell.write_long(out);
                Ok(())
            }
        };
    }

    /// Writes what most of an answer's bytes are, without the formatter's detours.
    fn write_long(&self, out: &mut String) {
        match self {
            Self::Json(json) => return out.push_str(json),
            Self::Text(text) | Self::LocalTime(text) => return write_text(text, out),
            _ => out.push('"'),
        }
        match self {
            Self::Uuid(id) => {
                let mut text = uuid::Uuid::encode_buffer();
                out.push_str(id.hyphenated().encode_lower(&mut text));
            }
            Self::Time(at) => write_time(*at, out),
            Self::Bytes(bytes) => {
                // The backslash before the digits, as JSON writes it.
                out.push('\\');
                write_hexadecimal(bytes, out);
            }
            _ => {}
        }
        out.push('"');
    }
}

/// Writes text as a JSON string.
pub fn write_text(text: &str, out: &mut String) {
    let is_plain = |byte: u8| byte >= b' ' && byte != b'"' && byte != b'\\';
    if text.bytes().all(is_plain) {
        out.push('"');
        out.push_str(text);
        out.push('"');
        return;
    }
    match serde_json::to_string(text) {
        Ok(json) => out.push_str(&json),
        // A string serialises without fail.
        Err(_) => out.push_str("\"\""),
    }
}

/// A moment as PostgreSQL tells it in JSON, without the zeros at the end of its fraction.
pub fn utc_time(at: Timestamp) -> String {
    let mut told = String::new();
    write_time(at, &mut told);
    told
}

fn write_time(at: Timestamp, out: &mut String) {
    use std::fmt::Write as _;
    let start = out.len();
    // Writing into a string does not fail.
    let _ = write!(out, "{at}");
    let told = out.get(start..).unwrap_or_default();
    if !told.contains('.') {
        return;
    }
    if let Some((time, _)) = told.rsplit_once('+') {
        let end = start + time.len();
        let kept = start + time.trim_end_matches('0').len();
        out.replace_range(kept..end, "");
    }
}

/// A moment in a zone, as PostgreSQL tells it in JSON; none for a zone that is none.
pub fn local_time(at: Timestamp, zone: &str) -> Option<String> {
    let moment = jiff::Timestamp::from_microsecond(at.as_micros()).ok()?;
    let zoned = moment.in_tz(zone).ok()?;
    let fraction = zoned.subsec_nanosecond() / 1_000;
    let fraction = match fraction {
        0 => String::new(),
        micros => format!(".{micros:06}").trim_end_matches('0').to_owned(),
    };
    let offset = zoned.offset().seconds();
    let sign = if offset < 0 { '-' } else { '+' };
    let (hours, minutes) = (offset.abs() / 3600, offset.abs() / 60 % 60);
    let told = zoned.strftime("%Y-%m-%dT%H:%M:%S");
    Some(format!("{told}{fraction}{sign}{hours:02}:{minutes:02}"))
}

/// A moment as PostgreSQL casts it to text.
pub fn time_text(at: Timestamp) -> String {
    let told = utc_time(at).replacen('T', " ", 1);
    told.strip_suffix(":00").map(str::to_owned).unwrap_or(told)
}

/// Millionths as a whole number; what lies in the middle goes away from zero, as PostgreSQL rounds.
pub fn half_away(millionths: i128) -> i128 {
    let half = if millionths < 0 { -500_000 } else { 500_000 };
    millionths.saturating_add(half) / 1_000_000
}

fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::new();
    write_hexadecimal(bytes, &mut text);
    text
}

fn write_hexadecimal(bytes: &[u8], out: &mut String) {
    let digit = |of: u8| char::from(if of < 10 { b'0' + of } else { b'a' - 10 + of });
    out.reserve(2 + bytes.len() * 2);
    out.push_str("\\x");
    for byte in bytes {
        out.push(digit(byte >> 4));
        out.push(digit(byte & 15));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_is_half_away_from_zero() {
        assert_eq!(half_away(1_500_000), 2);
        assert_eq!(half_away(-1_500_000), -2);
        assert_eq!(half_away(1_499_999), 1);
    }

    #[test]
    fn values_are_written_as_json() {
        let at = |text| Cell::Time(Timestamp::parse(text).unwrap());
        for (cell, json) in [
            (Cell::Text("plain é".to_owned()), r#""plain é""#),
            (Cell::Text("a \"b\"\\\n".to_owned()), r#""a \"b\"\\\n""#),
            (Cell::Bytes(vec![0, 0x9a, 0xff]), r#""\\x009aff""#),
            (
                Cell::Uuid(Uuid::from_u128(10)),
                r#""00000000-0000-0000-0000-00000000000a""#,
            ),
            (at("2026-05-04T10:00:00Z"), r#""2026-05-04T10:00:00+00:00""#),
            (
                at("2026-05-04T10:00:00.5Z"),
                r#""2026-05-04T10:00:00.5+00:00""#,
            ),
            (Cell::Json("{\"a\": 1}".to_owned()), "{\"a\": 1}"),
            (Cell::Decimal(-1_500_000), "-1.5"),
            (Cell::Null, "null"),
        ] {
            // Behind what is there already.
            let mut out = "x.0+".to_owned();
            cell.write_json(&mut out);
            assert_eq!(out, format!("x.0+{json}"));
        }
    }

    #[test]
    fn fractions_have_no_zeros_at_their_end() {
        for (text, in_utc, in_zone, as_text) in [
            (
                "2026-05-04T10:00:00Z",
                "2026-05-04T10:00:00+00:00",
                "2026-05-04T12:00:00+02:00",
                "2026-05-04 10:00:00+00",
            ),
            (
                "2026-12-04T10:00:10.120Z",
                "2026-12-04T10:00:10.12+00:00",
                "2026-12-04T11:00:10.12+01:00",
                "2026-12-04 10:00:10.12+00",
            ),
            (
                "1969-12-31T23:59:59.999999Z",
                "1969-12-31T23:59:59.999999+00:00",
                "1970-01-01T00:59:59.999999+01:00",
                "1969-12-31 23:59:59.999999+00",
            ),
        ] {
            let at = Timestamp::parse(text).unwrap();
            assert_eq!(utc_time(at), in_utc);
            assert_eq!(local_time(at, "Europe/Berlin").unwrap(), in_zone);
            assert_eq!(time_text(at), as_text);
        }
    }
}
