//! A JSON document as a tree in which every value knows its place and keeps its digits.

use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::error::ApiError;

/// A catalogue is no deeper: an object, an array of plans, a plan, its templates, one of them, a list in it.
const MAX_DEPTH: usize = 8;

/// A value with its place, such as `plans[0].templates[2].unit_code`.
#[derive(Debug)]
pub struct Node<'a> {
    pub place: String,
    pub value: Value<'a>,
    /// The value's own text.
    pub json: &'a str,
}

/// What stands at a place.
#[derive(Debug)]
pub enum Value<'a> {
    Null,
    Bool(bool),
    Number(&'a str),
    Text(String),
    List(Vec<Node<'a>>),
    Table(Vec<(String, Node<'a>)>),
}

impl<'a> Node<'a> {
    /// Reads a body.
    pub fn read(body: &'a [u8]) -> Result<Self, ApiError> {
        let refused = |details: String| {
            ApiError::new("invalid_json", "the body is not valid JSON").with_details(details)
        };
        let text = std::str::from_utf8(body).map_err(|error| refused(error.to_string()))?;
        let raw: &RawValue =
            serde_json::from_str(text).map_err(|error| refused(error.to_string()))?;
        Self::of(raw.get(), String::new(), 0).map_err(|error| refused(error.to_string()))
    }

    fn of(json: &'a str, place: String, depth: usize) -> serde_json::Result<Self> {
        if depth > MAX_DEPTH {
            return Err(serde::de::Error::custom("it is nested too deeply"));
        }
        let value = match json.as_bytes().first() {
            Some(b'n') => Value::Null,
            Some(b't') => Value::Bool(true),
            Some(b'f') => Value::Bool(false),
            Some(b'"') => Value::Text(serde_json::from_str(json)?),
            Some(b'[') => {
                let raw: Vec<&RawValue> = serde_json::from_str(json)?;
                let nodes = raw.into_iter().enumerate().map(|(index, raw)| {
                    Self::of(raw.get(), format!("{place}[{index}]"), depth + 1)
                });
                Value::List(nodes.collect::<Result<_, _>>()?)
            }
            Some(b'{') => {
                let Entries(raw) = serde_json::from_str(json)?;
                let nodes = raw.into_iter().map(|(key, raw)| {
                    let dot = if place.is_empty() { "" } else { "." };
                    let node = Self::of(raw.get(), format!("{place}{dot}{key}"), depth + 1)?;
                    Ok((key, node))
                });
                Value::Table(nodes.collect::<serde_json::Result<_>>()?)
            }
            _ => Value::Number(json),
        };
        Ok(Self { place, value, json })
    }
}

/// The entries of an object in their order; the same key twice is an error.
struct Entries<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> serde::Deserialize<'de> for Entries<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reading;
        impl<'de> Visitor<'de> for Reading {
            type Value = Entries<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Entries<'de>, M::Error> {
                let mut entries: Vec<(String, &RawValue)> = Vec::new();
                while let Some((key, value)) = map.next_entry::<String, &'de RawValue>()? {
                    if entries.iter().any(|(held, _)| *held == key) {
                        let error = format!("the key {key} stands twice in one object");
                        return Err(serde::de::Error::custom(error));
                    }
                    entries.push((key, value));
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(Reading)
    }
}
