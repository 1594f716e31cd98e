//! Keys by which programs call that have no issuer of tokens.

use mec_core::{Namespace, Timestamp};
use mec_query::Role;
use uuid::Uuid;

/// So many keys are listed at the most, the newest first.
pub const MAX_API_KEYS: usize = 1_000;

/// What stands for all namespaces where a key is stored.
pub const ALL_NAMESPACES: &str = "*";

/// A key. Its secret is not stored: what is shown is hashed and compared.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ApiKey {
    /// The public part, by which it is looked up.
    pub key_id: Uuid,
    /// In which namespace it acts; none for all of them.
    pub namespace: Option<Namespace>,
    /// Its name for people.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// The account in whose subtree a user may act.
    pub account_id: Option<Uuid>,
    /// The SHA-256 of its secret.
    pub secret_hash: [u8; 32],
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is not taken any more; none for never.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked; none while it is not.
    pub revoked_at: Option<Timestamp>,
    /// When it was last used, to the minute or so.
    pub last_used_at: Option<Timestamp>,
}

impl ApiKey {
    /// The namespace as it is stored.
    pub fn namespace_text(&self) -> &str {
        namespace_text(self.namespace.as_ref())
    }
}

/// A namespace, or all of them, as it is stored.
pub fn namespace_text(namespace: Option<&Namespace>) -> &str {
    namespace.map_or(ALL_NAMESPACES, Namespace::as_str)
}

/// A namespace, or all of them, from what is stored; none where it is neither.
pub fn namespace_of(text: &str) -> Option<Option<Namespace>> {
    if text == ALL_NAMESPACES {
        return Some(None);
    }
    Namespace::parse(text).map(Some)
}
