//! The arguments of one call, before their types are known.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use smallvec::SmallVec;

use super::query;
use super::value::Raw;
use super::{Params, nearest};
use crate::error::ApiError;

/// What names are arguments of; errors differ by it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Shape {
    /// A function of this name, matched by its arguments as PostgREST matches it.
    Function(&'static str),
    /// A row of this table.
    Table(&'static str),
    /// The body of a call to this path.
    Body(&'static str),
}

/// One value, or text that was decoded for it.
#[derive(Debug)]
enum Sent<'a> {
    Json(&'a str),
    Text(Cow<'a, str>),
}

/// Names with their values, in the order sent.
#[derive(Debug)]
pub struct Arguments<'a> {
    shape: Shape,
    sent: SmallVec<[(Cow<'a, str>, Sent<'a>); 12]>,
}

impl<'a> Arguments<'a> {
    /// Reads a JSON object. No body at all is an object without keys.
    pub fn from_json(shape: Shape, body: &'a [u8]) -> Result<Self, ApiError> {
        if body.is_empty() {
            return Ok(Self {
                shape,
                sent: SmallVec::new(),
            });
        }
        let text = std::str::from_utf8(body).map_err(|error| {
            let details = format!("the body is not UTF-8 from byte {} on", error.valid_up_to());
            ApiError::new("invalid_json", "the body is not valid JSON").with_details(details)
        })?;
        Self::from_text(shape, text)
    }

    /// Reads the text of a JSON object.
    pub fn from_text(shape: Shape, text: &'a str) -> Result<Self, ApiError> {
        let trimmed = text.trim_start_matches([' ', '\t', '\r', '\n']);
        if !trimmed.is_empty() && !trimmed.starts_with('{') {
            let message = "the body must be one JSON object";
            return Err(ApiError::new("invalid_json", message));
        }
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let broken = OnceCell::new();
        let object = Object {
            shape,
            broken: &broken,
        };
        let read = deserializer.deserialize_map(object).and_then(|arguments| {
            deserializer.end()?;
            Ok(arguments)
        });
        read.map_err(|error| match broken.get() {
            Some(name) => {
                let message = format!("{name}: its value is not valid JSON: {error}");
                ApiError::new("invalid_json", message).with_details(name.clone())
            }
            None => {
                let message = "the body is not valid JSON";
                ApiError::new("invalid_json", message).with_details(error.to_string())
            }
        })
    }

    /// Names with texts, as a form holds them.
    pub fn from_texts(
        shape: Shape,
        texts: impl Iterator<Item = (&'static str, String)>,
    ) -> Arguments<'static> {
        let sent = texts.map(|(name, text)| (Cow::Borrowed(name), Sent::Text(Cow::Owned(text))));
        Arguments {
            shape,
            sent: sent.collect(),
        }
    }

    /// The names and values of what was sent as JSON, in order.
    pub fn jsons(&self) -> impl Iterator<Item = (&str, &'a str)> {
        self.sent.iter().filter_map(|(name, sent)| match sent {
            Sent::Json(json) => Some((name.as_ref(), *json)),
            Sent::Text(_) => None,
        })
    }

    /// Reads a query string.
    pub fn from_query(shape: Shape, query: &'a str) -> Result<Self, ApiError> {
        let mut sent = SmallVec::new();
        for (name, value) in query::pairs(query) {
            let bad = || {
                let message = "the query string is not percent-encoded UTF-8";
                ApiError::new("invalid_query", message).with_details(name.to_owned())
            };
            let name = query::decode(name).ok_or_else(bad)?;
            let value = query::decode(value).ok_or_else(bad)?;
            sent.push((name, Sent::Text(value)));
        }
        Ok(Self { shape, sent })
    }

    /// Puts the values into the places of their names, null as absent. Names that are unknown, twice
    /// there or missing are refused by name, before any value is looked at.
    pub fn place<'s, P: Params>(&'s self, places: &mut [Option<Raw<'s>>]) -> Result<(), ApiError> {
        let mut seen = 0_u64;
        let mut twice = None;
        for (name, sent) in &self.sent {
            let known = P::NAMES.iter().position(|known| *known == name.as_ref());
            let Some(index) = known else {
                return Err(self.unknown(name, P::NAMES));
            };
            let bit = 1_u64 << index;
            if seen & bit != 0 {
                twice = twice.or(Some(name));
            }
            seen |= bit;
            if let Some(place) = places.get_mut(index) {
                *place = match sent {
                    Sent::Json("null") => None,
                    Sent::Json(json) => Some(Raw::Json(json)),
                    Sent::Text(text) => Some(Raw::Text(text)),
                };
            }
        }
        if let Some(name) = twice {
            let message = format!("{name} stands twice");
            return Err(ApiError::new("duplicate_key", message).with_details(name.to_string()));
        }
        let required = P::NAMES.iter().zip(P::REQUIRED).zip(places.iter());
        for ((name, required), place) in required {
            if *required && place.is_none() {
                return Err(self.shape.missing(name));
            }
        }
        Ok(())
    }

    /// What the names are arguments of.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    fn unknown(&self, name: &str, known: &[&'static str]) -> ApiError {
        let shown = beginning(name);
        let (code, message) = match self.shape {
            Shape::Function(function) => {
                ("PGRST202", format!("{function} has no argument {shown}"))
            }
            Shape::Table(table) => ("PGRST204", format!("{table} has no column {shown}")),
            Shape::Body(path) => ("PGRST204", format!("{path} has no field {shown}")),
        };
        let hint = match nearest(name, known.iter().copied()) {
            Some(near) => format!("did you mean {near}?"),
            None => format!("known are {}", known.join(", ")),
        };
        ApiError::new(code, message)
            .with_details(shown)
            .with_hint(Some(hint))
    }
}

impl Shape {
    /// The error of a missing name.
    pub fn missing(self, name: &'static str) -> ApiError {
        let (code, message) = match self {
            Self::Function(function) => {
                ("PGRST202", format!("{function} needs the argument {name}"))
            }
            Self::Table(table) => ("missing_field", format!("{table} needs the column {name}")),
            Self::Body(path) => ("missing_field", format!("{path} needs the field {name}")),
        };
        ApiError::new(code, message)
            .with_details(name)
            .with_hint(Some(format!("add {name}")))
    }
}

/// A name may be as long as a body; an error repeats its beginning only.
fn beginning(name: &str) -> String {
    name.chars().take(64).collect()
}

/// Reads an object without looking into its values.
struct Object<'b> {
    shape: Shape,
    /// The name whose value stopped the reading, if one did.
    broken: &'b OnceCell<String>,
}

impl<'de> Visitor<'de> for Object<'_> {
    type Value = Arguments<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Arguments<'de>, M::Error> {
        let mut sent = SmallVec::new();
        while let Some(Name(name)) = map.next_key::<Name<'de>>()? {
            let value = map.next_value::<&'de RawValue>().inspect_err(|_| {
                self.broken.get_or_init(|| beginning(&name));
            })?;
            sent.push((name, Sent::Json(value.get())));
        }
        Ok(Arguments {
            shape: self.shape,
            sent,
        })
    }
}

/// A key, borrowed unless it holds escapes.
struct Name<'de>(Cow<'de, str>);

impl<'de> serde::Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;
        impl<'de> Visitor<'de> for NameVisitor {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(NameVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape = Shape::Function("f");

    #[test]
    fn values_keep_their_text() {
        let body = br#" {"a" : 1.50 , "\u0062":"x", "c":{"d":[1, 2]}} "#;
        let arguments = Arguments::from_json(SHAPE, body).unwrap();
        let told: Vec<String> = arguments
            .sent
            .iter()
            .map(|(n, v)| format!("{n}={v:?}"))
            .collect();
        assert_eq!(
            told,
            [
                "a=Json(\"1.50\")",
                "b=Json(\"\\\"x\\\"\")",
                "c=Json(\"{\\\"d\\\":[1, 2]}\")"
            ]
        );
    }

    #[test]
    fn what_is_no_object_is_refused_with_its_place() {
        for body in [
            "{",
            "{\"a\":}",
            "{\"a\":1,}",
            "[]",
            "1",
            "null",
            "{}x",
            "{\"a\":NaN}",
            "\u{feff}{}",
        ] {
            let error = Arguments::from_json(SHAPE, body.as_bytes()).unwrap_err();
            assert_eq!(error.code(), "invalid_json", "{body}");
        }
        let error = Arguments::from_json(SHAPE, b"{\"a\":1,}").unwrap_err();
        let told = error.to_json();
        assert!(told.contains("line 1 column 8"), "{told}");
        assert_eq!(
            Arguments::from_json(SHAPE, b"{\"\xff\":1}")
                .unwrap_err()
                .code(),
            "invalid_json"
        );
    }

    #[test]
    fn a_value_that_is_no_json_is_named() {
        for value in [
            "NaN", "Infinity", "-", "01", ".5", "1.", "1e", "\"x", "[1,", "{\"b\"", "",
        ] {
            let body = format!("{{\"a\":1,\"p_\\u0071\":{value}");
            let error = Arguments::from_json(SHAPE, body.as_bytes()).unwrap_err();
            let told = error.to_json();
            assert_eq!(error.code(), "invalid_json", "{body}");
            assert!(told.contains("\"details\":\"p_q\""), "{body} {told}");
            assert!(told.contains("line 1 column"), "{body} {told}");
        }
        let long = format!("{{\"{}\":NaN}}", "k".repeat(5_000));
        let error = Arguments::from_json(SHAPE, long.as_bytes()).unwrap_err();
        assert!(error.to_json().len() < 500);
    }

    #[test]
    fn depth_costs_no_stack() {
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(400_000), "]".repeat(400_000));
        assert!(Arguments::from_json(SHAPE, deep.as_bytes()).is_ok());
    }
}
