//! What a token says, and where in it that stands.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::{Map, Value};

/// Where a claim stands: a name as it is, such as `https://mec.example/role`, or, where the path begins
/// with `/`, a JSON Pointer (RFC 6901) into nested claims, such as `/app_metadata/role`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClaimPath(String);

/// A path that names nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "a claim is named as it is, or by a JSON Pointer such as /app_metadata/role; 1 to 255 bytes"
)]
pub struct BadClaimPath;

/// The longest path, in bytes.
const MAX_PATH_BYTES: usize = 255;

impl ClaimPath {
    /// Reads a path.
    ///
    /// # Errors
    /// For an empty or too long one, one with control characters, and a `~` that RFC 6901 does not know.
    pub fn parse(text: &str) -> Result<Self, BadClaimPath> {
        let is_sane =
            !text.is_empty() && text.len() <= MAX_PATH_BYTES && !text.chars().any(char::is_control);
        let mut tildes = text.split('~').skip(1);
        let is_pointer = text.starts_with('/');
        let is_escaped = tildes.all(|rest| rest.starts_with(['0', '1']));
        if !is_sane || (is_pointer && !is_escaped) {
            return Err(BadClaimPath);
        }
        Ok(Self(text.to_owned()))
    }

    fn of<'a>(&self, claims: &'a Claimed) -> Option<&'a Value> {
        let found = match self.0.strip_prefix('/') {
            None => claims.0.get(&self.0),
            Some(pointer) => {
                let (first, rest) = match pointer.find('/') {
                    Some(end) => pointer.split_at(end),
                    None => (pointer, ""),
                };
                let name = first.replace("~1", "/").replace("~0", "~");
                claims.0.get(&name).and_then(|value| value.pointer(rest))
            }
        };
        found.filter(|value| !value.is_null())
    }
}

/// Where a token says what MEC goes by. The default is a claim of the field's own name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClaimPaths {
    /// The role.
    pub role: ClaimPath,
    /// The namespace.
    pub namespace_id: ClaimPath,
    /// The account.
    pub account_id: ClaimPath,
}

impl Default for ClaimPaths {
    fn default() -> Self {
        let named = |name: &str| ClaimPath(name.to_owned());
        Self {
            role: named("role"),
            namespace_id: named("namespace_id"),
            account_id: named("account_id"),
        }
    }
}

impl ClaimPaths {
    pub(super) fn role<'a>(&self, claims: &'a Claimed) -> Option<&'a Value> {
        self.role.of(claims)
    }

    pub(super) fn namespace<'a>(&self, claims: &'a Claimed) -> Option<&'a Value> {
        self.namespace_id.of(claims)
    }

    pub(super) fn account<'a>(&self, claims: &'a Claimed) -> Option<&'a Value> {
        self.account_id.of(claims)
    }
}

/// The claims of a token, in which no name stands twice: readers differ in which of two they take.
#[derive(Debug)]
pub struct Claimed(Map<String, Value>);

impl Claimed {
    /// A claim by its name.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }
}

impl<'de> Deserialize<'de> for Claimed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;
        impl<'de> Visitor<'de> for Names {
            type Value = Map<String, Value>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
                let mut claims = Map::new();
                while let Some((name, value)) = entries.next_entry::<String, Value>()? {
                    if claims.insert(name, value).is_some() {
                        return Err(A::Error::custom("a claim stands twice"));
                    }
                }
                Ok(claims)
            }
        }
        deserializer.deserialize_map(Names).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_finds_the_claim_that_it_names() {
        let claims: Claimed = serde_json::from_str(
            r#"{"role": "plain", "https://mec.example/role": "url", "/odd~": "odd", "none": null,
                "a": {"b": {"c/d": "deep"}}, "a/b": "flat"}"#,
        )
        .unwrap();
        let check = |path: &str, expected: Option<&str>| {
            let found = ClaimPath::parse(path).unwrap();
            let found = found.of(&claims).and_then(Value::as_str);
            assert_eq!(found, expected, "{path}");
        };
        check("role", Some("plain"));
        check("/role", Some("plain"));
        check("https://mec.example/role", Some("url"));
        check("a/b", Some("flat"));
        check("/a/b/c~1d", Some("deep"));
        check("/~1odd~0", Some("odd"));
        check("/a/b/c", None);
        check("/a/x", None);
        check("none", None);
        check("c", None);
    }

    #[test]
    fn what_names_nothing_is_no_path() {
        for bad in ["", "a\nb", "/a~b", "/a~", "/~2", &"x".repeat(256)] {
            assert_eq!(ClaimPath::parse(bad), Err(BadClaimPath), "{bad:?}");
        }
        assert!(ClaimPath::parse("a~b").is_ok());
    }

    #[test]
    fn a_claim_that_stands_twice_is_refused() {
        assert!(serde_json::from_str::<Claimed>(r#"{"role": "a", "rol\u0065": "b"}"#).is_err());
        assert!(serde_json::from_str::<Claimed>("[]").is_err());
    }
}
