//! JSON as PostgreSQL's `jsonb` sees it: what it holds, whatever the order of its keys.

use serde_json::Value;

/// JSON in one form for all that is equal.
pub fn canonical(text: &str) -> Option<String> {
    let value: Value = serde_json::from_str(text).ok()?;
    Some(written(&value))
}

/// JSON as `jsonb` is written: short keys before long ones, and a space after each colon and comma.
fn written(value: &Value) -> String {
    match value {
        Value::Array(elements) => {
            let elements: Vec<String> = elements.iter().map(written).collect();
            format!("[{}]", elements.join(", "))
        }
        Value::Object(members) => {
            let mut members: Vec<(&String, &Value)> = members.iter().collect();
            members.sort_by_key(|(key, _)| (key.len(), key.as_bytes()));
            let members = members
                .into_iter()
                .map(|(key, value)| format!("{}: {}", Value::from(key.as_str()), written(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
        plain => plain.to_string(),
    }
}

/// A key's value, as JSON.
pub fn member(text: &str, key: &str) -> Option<String> {
    let value: Value = serde_json::from_str(text).ok()?;
    // An array takes a number for its index, however it is written.
    let found = match &value {
        Value::Object(members) => members.get(key)?,
        _ => return None,
    };
    Some(written(found))
}

/// An element of an array as JSON. To PostgreSQL a plain value is an array of itself here.
pub fn element(text: &str, index: i64) -> Option<String> {
    let value: Value = serde_json::from_str(text).ok()?;
    let elements = match &value {
        Value::Array(elements) => elements.as_slice(),
        Value::Object(_) => return None,
        plain => std::slice::from_ref(plain),
    };
    let index = if index < 0 {
        elements
            .len()
            .checked_sub(usize::try_from(index.unsigned_abs()).ok()?)?
    } else {
        usize::try_from(index).ok()?
    };
    elements.get(index).map(written)
}

/// JSON as text: a string without its quotes, nothing for null.
pub fn text(json: &str) -> Option<String> {
    match serde_json::from_str(json).ok()? {
        Value::Null => None,
        Value::String(text) => Some(text),
        other => Some(written(&other)),
    }
}

/// Whether JSON holds other JSON.
pub fn contains(holds: &str, held: &str) -> Option<bool> {
    let holds: Value = serde_json::from_str(holds).ok()?;
    let held: Value = serde_json::from_str(held).ok()?;
    // At the top an array also holds a plain value.
    let is_element = holds
        .as_array()
        .is_some_and(|elements| !held.is_array() && !held.is_object() && elements.contains(&held));
    Some(is_element || is_within(&holds, &held))
}

fn is_within(holds: &Value, held: &Value) -> bool {
    match (holds, held) {
        (Value::Object(holds), Value::Object(held)) => held
            .iter()
            .all(|(key, value)| holds.get(key).is_some_and(|of| is_within(of, value))),
        (Value::Array(holds), Value::Array(held)) => held
            .iter()
            .all(|value| holds.iter().any(|of| is_within(of, value))),
        _ => holds == held,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_json_holds() {
        let holds = |holds, held| contains(holds, held);
        assert_eq!(
            holds(r#"{"a":{"b":1},"c":2}"#, r#"{"a":{"b":1}}"#),
            Some(true)
        );
        assert_eq!(holds(r#"{"a":{"b":1}}"#, r#"{"b":1}"#), Some(false));
        assert_eq!(holds("[1,[2,3]]", "[[3]]"), Some(true));
        assert_eq!(holds(r#"["a","b"]"#, r#""a""#), Some(true));
        assert_eq!(holds(r#"{"a":1}"#, "{}"), Some(true));
        assert_eq!(holds("nonsense", "{}"), None);
    }

    #[test]
    fn ways_into_json() {
        assert_eq!(member(r#"{"a":[1,2]}"#, "a").as_deref(), Some("[1, 2]"));
        assert_eq!(element("[1,2]", -1).as_deref(), Some("2"));
        assert_eq!(element("[1,2]", -3), None);
        assert_eq!(element("{}", 0), None);
        assert_eq!(element("5", 0).as_deref(), Some("5"));
        assert_eq!(text(r#""x""#).as_deref(), Some("x"));
        assert_eq!(text("null"), None);
        assert_eq!(text("true").as_deref(), Some("true"));
        assert_eq!(
            canonical(r#"{"longer":{},"b": 1, "a" :2}"#).as_deref(),
            Some(r#"{"a": 2, "b": 1, "longer": {}}"#)
        );
    }
}
