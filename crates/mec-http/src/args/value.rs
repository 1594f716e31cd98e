//! One argument's value: its raw text, and how a type is read from it.

use std::borrow::Cow;

use serde_json::Value;
use utoipa::openapi::{RefOr, Schema};

/// A value as sent.
#[derive(Clone, Copy, Debug)]
pub enum Raw<'a> {
    /// The text of a JSON value without surrounding blanks.
    Json(&'a str),
    /// Text of a query string.
    Text(&'a str),
}

impl<'a> Raw<'a> {
    /// The text of a string.
    pub fn text(self) -> Result<Cow<'a, str>, Bad> {
        match self {
            Self::Text(text) => Ok(Cow::Borrowed(text)),
            Self::Json(json) => {
                let inner = json
                    .strip_prefix('"')
                    .and_then(|json| json.strip_suffix('"'));
                let Some(inner) = inner else {
                    return Err(Bad::value("a string"));
                };
                if !inner.contains('\\') {
                    return Ok(Cow::Borrowed(inner));
                }
                let text: Result<String, _> = serde_json::from_str(json);
                text.map(Cow::Owned)
                    .map_err(|_| Bad::value("a string of Unicode characters"))
            }
        }
    }

    /// The digits of a number, or of a string holding one.
    pub fn digits(self) -> Result<Cow<'a, str>, Bad> {
        match self {
            Self::Json(json) if !json.starts_with('"') => Ok(Cow::Borrowed(json)),
            _ => self.text(),
        }
    }

    /// The text of a JSON value of any kind; a query string holds it as it is.
    pub fn json(self) -> &'a str {
        match self {
            Self::Json(json) | Self::Text(json) => json,
        }
    }
}

/// Why a value does not fit: the code of the error, and what is expected.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Bad {
    /// The code of the table of errors.
    pub code: &'static str,
    /// What would fit, for people.
    pub expected: Cow<'static, str>,
}

impl Bad {
    /// A value of the wrong type or form.
    pub fn value(expected: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code: "invalid_value",
            expected: expected.into(),
        }
    }

    /// The same with a code of its own.
    pub fn with_code(code: &'static str, expected: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            expected: expected.into(),
        }
    }
}

/// A type that arguments have.
pub trait Arg: Sized {
    /// Whether it may be absent.
    const OPTIONAL: bool = false;

    /// Reads a value that is there and not null.
    fn read(raw: Raw<'_>) -> Result<Self, Bad>;

    /// The value of an absent argument, where it may be absent.
    fn absent() -> Option<Self> {
        None
    }

    /// The type for the API's description.
    fn schema() -> RefOr<Schema>;

    /// A value for the API's description, where it tells defaults.
    fn to_value(&self) -> Option<Value> {
        None
    }
}

impl<T: Arg> Arg for Option<T> {
    const OPTIONAL: bool = true;

    fn read(raw: Raw<'_>) -> Result<Self, Bad> {
        T::read(raw).map(Some)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }

    fn schema() -> RefOr<Schema> {
        T::schema()
    }
}
