//! Names and ids: namespaces, codes, and where new ids come from.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Id of an account.
pub type AccountId = Uuid;
/// Id of a tree: its owner's account id at the time.
pub type TreeId = Uuid;
/// A short name of a catalogue row, shared between all that name it.
pub type Code = Arc<str>;

/// The longest code of a resource type, scope, unit, plan or other catalogue row, in bytes.
pub const MAX_CODE_LEN: usize = 100;
/// The longest idempotency key, session token or external id, in bytes.
pub const MAX_KEY_LEN: usize = 255;

/// One tenant of MEC. 1 to 64 characters of `A-Z a-z 0-9 _ . -`.
#[derive(Clone, Debug, Eq, PartialEq, Ord, PartialOrd, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Namespace(Arc<str>);

impl Namespace {
    /// The namespace that is seeded at first start.
    pub const DEFAULT: &'static str = "default";

    /// Reads a namespace; `None` when the text is not one.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = !text.is_empty()
            && text.len() <= 64
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'));
        fits.then(|| Self(text.into()))
    }

    /// The namespace `default`.
    pub fn default_namespace() -> Self {
        Self(Self::DEFAULT.into())
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Namespace {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("a namespace is 1 to 64 characters of A-Z a-z 0-9 _ . -")
    }
}

/// Where new ids come from; the core never makes one by itself.
pub trait IdSource {
    /// A new id, different from every other. Rising ids keep the ledger's pages in order.
    fn next_id(&mut self) -> Uuid;
}

/// Whether a text can be a code: 1 to [`MAX_CODE_LEN`] bytes without control characters.
pub fn is_code(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_CODE_LEN && !text.chars().any(char::is_control)
}

/// Whether a text can be a key, token or external id: 1 to [`MAX_KEY_LEN`] bytes without control characters.
pub fn is_key(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_KEY_LEN && !text.chars().any(char::is_control)
}
