//! JSON without the members that are null, at any depth.

use std::fmt;

use serde::Deserializer as _;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

/// JSON without the members of objects that are null. Numbers stay as they are written.
pub fn stripped(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    strip(json, &mut out);
    out
}

fn strip(json: &str, out: &mut String) {
    match json.trim_start().bytes().next() {
        Some(b'{') => match members(json) {
            Some(members) => {
                let kept = members.iter().filter(|(_, value)| value.get() != "null");
                within(out, ('{', '}'), kept, |(name, value), out| {
                    out.push_str(&serde_json::Value::from(name.as_str()).to_string());
                    out.push(':');
                    strip(value.get(), out);
                });
            }
            None => out.push_str(json),
        },
        Some(b'[') => match serde_json::from_str::<Vec<&RawValue>>(json) {
            Ok(elements) => within(out, ('[', ']'), elements, |element, out| {
                strip(element.get(), out);
            }),
            Err(_) => out.push_str(json),
        },
        _ => out.push_str(json),
    }
}

/// Writes items between brackets, with commas between them.
fn within<T>(
    out: &mut String,
    (open, close): (char, char),
    items: impl IntoIterator<Item = T>,
    write: impl Fn(T, &mut String),
) {
    out.push(open);
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write(item, out);
    }
    out.push(close);
}

/// An object's members in their order.
fn members(json: &str) -> Option<Vec<(String, &RawValue)>> {
    struct Members;

    impl<'de> Visitor<'de> for Members {
        type Value = Vec<(String, &'de RawValue)>;

        fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
            out.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut members = Vec::new();
            while let Some(member) = map.next_entry()? {
                members.push(member);
            }
            Ok(members)
        }
    }

    serde_json::Deserializer::from_str(json)
        .deserialize_map(Members)
        .ok()
}

#[cfg(test)]
mod tests {
    use super::stripped;

    #[test]
    fn members_that_are_null_are_left_out() {
        for (json, expected) in [
            ("null", "null"),
            ("5", "5"),
            ("[null, 1]", "[null,1]"),
            (r#"{"a":null}"#, "{}"),
            (
                r#"{"b":1,"a":null,"c":[{"d":null,"e":"x"}]}"#,
                r#"{"b":1,"c":[{"e":"x"}]}"#,
            ),
            (
                r#"{"n":123456789012345.123456, "q\"":"null"}"#,
                r#"{"n":123456789012345.123456,"q\"":"null"}"#,
            ),
        ] {
            assert_eq!(stripped(json), expected, "{json}");
        }
    }
}
