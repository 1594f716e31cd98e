//! Values: a request's text in the type of the column that it is compared with.

use std::num::{IntErrorKind, ParseIntError};

use mec_core::{Quantity, Timestamp};
use uuid::Uuid;

use super::PlanError;
use crate::schema::Kind;

/// A typed value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Value {
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
    /// A moment.
    Time(Timestamp),
    /// JSON, as it is written.
    Json(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// A number as it is written, beside the values that a column can hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Number {
    /// A value that the column can hold.
    Exact(i128),
    /// What lies between this value and the next that the column can hold.
    Above(i128),
}

impl Value {
    /// A request's text as a value of a kind.
    pub fn parse(text: &str, kind: Kind) -> Result<Self, PlanError> {
        let invalid = || invalid(text, kind);
        Ok(match kind {
            Kind::Text => Self::Text(text.to_owned()),
            Kind::Uuid => Self::Uuid(Uuid::try_parse(text.trim()).map_err(|_| invalid())?),
            Kind::Integer => Self::Integer(integer(text)?),
            Kind::Boolean => Self::Boolean(boolean(text).ok_or_else(invalid)?),
            Kind::Quantity | Kind::Amount => match Number::parse(text, kind)? {
                Number::Exact(micros) => Self::Decimal(micros),
                Number::Above(_) => return Err(invalid()),
            },
            Kind::Time => Self::Time(Timestamp::parse(text.trim()).map_err(|_| {
                let message = format!("invalid input syntax for type {}", kind.name());
                PlanError::new("22007", message).with_details(shown(text))
            })?),
            Kind::Json => {
                let read: Result<serde::de::IgnoredAny, _> = serde_json::from_str(text);
                read.map_err(|_| invalid())?;
                Self::Json(text.to_owned())
            }
            Kind::Bytes => Self::Bytes(bytes(text).ok_or_else(invalid)?),
        })
    }
}

impl Number {
    /// The most digits of a number.
    const MAX_DIGITS: usize = 60;
    /// No amount lies beyond this.
    const BOUND: i128 = i128::MAX / 10;

    /// A request's text as a decimal of any number of places.
    pub fn parse(text: &str, kind: Kind) -> Result<Self, PlanError> {
        let text = text.trim();
        let too_large = || out_of_range(text, kind);
        if let Ok(quantity) = Quantity::parse_sum(text) {
            return Ok(Self::Exact(quantity.micros()));
        }
        let (is_negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let is_written = !(whole.is_empty() && fraction.is_empty())
            && whole
                .bytes()
                .chain(fraction.bytes())
                .all(|b| b.is_ascii_digit());
        if !is_written {
            return Err(invalid(text, kind));
        }
        if digits.len() > Self::MAX_DIGITS {
            return Err(too_large());
        }
        let kept: String = fraction.chars().chain("000000".chars()).take(6).collect();
        let micros: i128 = format!("{whole}{kept}").parse().map_err(|_| too_large())?;
        if micros > Self::BOUND {
            return Err(too_large());
        }
        let is_exact = fraction.bytes().skip(6).all(|digit| digit == b'0');
        Ok(match (is_exact, is_negative) {
            (true, false) => Self::Exact(micros),
            (true, true) => Self::Exact(-micros),
            (false, false) => Self::Above(micros),
            // Below zero, what is cut off leads to the next value up.
            (false, true) => Self::Above(-micros - 1),
        })
    }
}

fn out_of_range(text: &str, kind: Kind) -> PlanError {
    let message = format!("the value is out of range for type {}", kind.name());
    PlanError::new("22003", message).with_details(shown(text))
}

fn invalid(text: &str, kind: Kind) -> PlanError {
    let message = format!("invalid input syntax for type {}", kind.name());
    PlanError::new("22P02", message).with_details(shown(text))
}

/// What an error shows of a request's text.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(100).collect()
}

fn integer(text: &str) -> Result<i64, PlanError> {
    let kind = Kind::Integer;
    let digits = text.trim();
    let digits = digits.strip_prefix('+').unwrap_or(digits);
    digits
        .parse()
        .map_err(|error: ParseIntError| match error.kind() {
            IntErrorKind::PosOverflow | IntErrorKind::NegOverflow => out_of_range(text, kind),
            _ => invalid(text, kind),
        })
}

/// PostgreSQL takes these words and what they begin with.
fn boolean(text: &str) -> Option<bool> {
    let text = text.trim().to_ascii_lowercase();
    let begins = |word: &str| !text.is_empty() && word.starts_with(&text);
    if begins("true") || begins("yes") || text == "on" || text == "1" {
        Some(true)
    } else if begins("false") || begins("no") || begins("off") && text.len() > 1 || text == "0" {
        Some(false)
    } else {
        None
    }
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("\\x")?.as_bytes();
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|d| u8::try_from(d).ok())
    };
    let pairs = digits.chunks(2).map(|pair| match pair {
        [high, low] => Some(digit(*high)? * 16 + digit(*low)?),
        _ => None,
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn number(text: &str, expected: Option<Number>) {
        assert_eq!(Number::parse(text, Kind::Quantity).ok(), expected, "{text}");
    }

    #[test]
    fn numbers_beyond_six_places_lie_between_two_values() {
        number("1", Some(Number::Exact(1_000_000)));
        number("-0.000001", Some(Number::Exact(-1)));
        number("1.0000000", Some(Number::Exact(1_000_000)));
        number("1.0000001", Some(Number::Above(1_000_000)));
        number("-1.0000001", Some(Number::Above(-1_000_001)));
        number(".5", Some(Number::Exact(500_000)));
        number("", None);
        number(".", None);
        number("NaN", None);
        number(&"9".repeat(61), None);
    }

    #[test]
    fn booleans_as_postgresql_takes_them() {
        for text in ["t", "TRUE", "yes", "y", "on", "1"] {
            assert_eq!(boolean(text), Some(true), "{text}");
        }
        for text in ["f", "false", "no", "off", "of", "0"] {
            assert_eq!(boolean(text), Some(false), "{text}");
        }
        for text in ["", "o", "2", "truth"] {
            assert_eq!(boolean(text), None, "{text}");
        }
    }

    #[test]
    fn bytes_are_hexadecimal() {
        assert_eq!(bytes("\\x00fF"), Some(vec![0, 255]));
        assert_eq!(bytes("\\x0"), None);
        assert_eq!(bytes("00"), None);
    }
}
