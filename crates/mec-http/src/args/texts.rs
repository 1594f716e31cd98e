//! JSON objects as arguments: keys with texts, and free ones that are kept as their text.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};

use super::value::{Arg, Bad, Raw};

/// The most keys of an object of texts.
const MAX_KEYS: usize = 50;
/// The longest key of an object of texts, in bytes.
const MAX_KEY_BYTES: usize = 100;
/// The longest value of an object of texts, in bytes.
const MAX_VALUE_BYTES: usize = 1_000;
/// The longest free JSON object, in bytes.
const MAX_DOCUMENT_BYTES: usize = 4_096;
/// The deepest nesting of a free JSON object.
const MAX_DEPTH: usize = 32;

/// An object whose values are strings, numbers or booleans, all kept as texts: the context of a
/// request, the details of an event. Keys that begin with `mec.` are MEC's own.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Context(pub BTreeMap<String, String>);

/// The same, of an event.
pub type Details = Context;

impl Arg for Context {
    fn read(raw: Raw<'_>) -> Result<Self, Bad> {
        let json = raw.json();
        if !json.trim_start().starts_with('{') {
            return Err(Bad::value("an object of strings, numbers and booleans"));
        }
        let pairs = Pairs::read(json).ok_or(Bad::value("an object with each key once"))?;
        if pairs.0.len() > MAX_KEYS {
            return Err(Bad::value("an object of at most 50 keys"));
        }
        let mut texts = BTreeMap::new();
        for (key, value) in pairs.0 {
            if key.is_empty() || key.len() > MAX_KEY_BYTES {
                return Err(Bad::value("keys of 1 to 100 bytes"));
            }
            if key.starts_with("mec.") {
                return Err(Bad::value(format!(
                    "no key that begins with mec., as {key} does"
                )));
            }
            let text = match value.get().as_bytes().first() {
                // Null is as if the key were not there, as in the arguments themselves.
                Some(b'n') => continue,
                Some(b'{' | b'[') | None => {
                    return Err(Bad::value(format!("a string, number or boolean at {key}")));
                }
                Some(b'"') => Raw::Json(value.get()).text()?.into_owned(),
                Some(_) => value.get().to_owned(),
            };
            if text.len() > MAX_VALUE_BYTES {
                return Err(Bad::value(format!("at most 1000 bytes at {key}")));
            }
            if texts.contains_key(&key) {
                return Err(Bad::value(format!("the key {key} once")));
            }
            texts.insert(key, text);
        }
        Ok(Self(texts))
    }

    fn schema() -> RefOr<Schema> {
        let scalar = utoipa::openapi::schema::SchemaType::from_iter([
            Type::String,
            Type::Number,
            Type::Boolean,
            Type::Null,
        ]);
        let value: Schema = ObjectBuilder::new().schema_type(scalar).build().into();
        ObjectBuilder::new()
            .schema_type(Type::Object)
            .additional_properties(Some(value))
            .max_properties(Some(MAX_KEYS))
            .into()
    }
}

/// The keys and raw values of an object, in the order sent.
struct Pairs<'a>(Vec<(String, &'a RawValue)>);

impl<'a> Pairs<'a> {
    fn read(json: &'a str) -> Option<Self> {
        serde_json::from_str(json).ok()
    }
}

impl<'de: 'a, 'a> serde::Deserialize<'de> for Pairs<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PairsVisitor;
        impl<'de> serde::de::Visitor<'de> for PairsVisitor {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: serde::de::MapAccess<'de>>(
                self,
                mut map: M,
            ) -> Result<Self::Value, M::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    // One more than allowed is enough to know that it is too many.
                    if pairs.len() <= MAX_KEYS {
                        pairs.push(pair);
                    }
                }
                Ok(pairs)
            }
        }
        deserializer.deserialize_map(PairsVisitor).map(Self)
    }
}

/// A free JSON object of at most 4,096 bytes, kept as its text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Document(pub String);

impl Arg for Document {
    fn read(raw: Raw<'_>) -> Result<Self, Bad> {
        let json = raw.json();
        let fits = json.starts_with('{')
            && json.len() <= MAX_DOCUMENT_BYTES
            && depth(json) <= MAX_DEPTH
            && serde_json::from_str::<serde::de::IgnoredAny>(json).is_ok();
        let expected = "a JSON object of at most 4096 bytes and 32 levels";
        fits.then(|| Self(json.to_owned()))
            .ok_or(Bad::value(expected))
    }

    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::Object).into()
    }
}

/// The deepest nesting of a JSON text.
fn depth(json: &str) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check<T: Arg + std::fmt::Debug>(json: &str, expected: &str) {
        let told = match T::read(Raw::Json(json)) {
            Ok(value) => format!("{value:?}"),
            Err(bad) => bad.code.to_owned(),
        };
        assert_eq!(told, expected, "{json}");
    }

    #[test]
    fn contexts() {
        let told = r#"Context({"a": "x", "b": "1.50", "c": "true"})"#;
        check::<Context>(r#"{"a":"x","b":1.50,"c":true,"d":null}"#, told);
        for bad in [
            "1",
            "[]",
            r#"{"a":{}}"#,
            r#"{"a":1,"a":2}"#,
            r#"{"mec.plan_id":"x"}"#,
            r#"{"":1}"#,
        ] {
            check::<Context>(bad, "invalid_value");
        }
        let keys: Vec<String> = (0..51).map(|n| format!("\"k{n}\":1")).collect();
        check::<Context>(&format!("{{{}}}", keys.join(",")), "invalid_value");
    }

    #[test]
    fn documents() {
        check::<Document>(r#"{"a":[1]}"#, r#"Document("{\"a\":[1]}")"#);
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(40), "]".repeat(40));
        for bad in [
            "[]",
            "1",
            &deep,
            &format!("{{\"a\":\"{}\"}}", "x".repeat(5000)),
        ] {
            check::<Document>(bad, "invalid_value");
        }
    }
}
