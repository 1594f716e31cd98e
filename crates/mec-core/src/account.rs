//! Accounts: the customers, in trees.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::ids::{AccountId, Code};
use crate::refusal::Refusal;
use crate::time::Timestamp;
use crate::window::Zone;

/// The deepest tree, counted in levels from the account up to its owner.
pub const MAX_DEPTH: usize = 16;

/// What an account's status allows.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AccountStatus {
    /// Served.
    Active,
    /// Not served; may come back.
    Suspended,
    /// Not served; kept for its history.
    Inactive,
}

impl AccountStatus {
    /// The status as the contract writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Inactive => "inactive",
        }
    }

    /// Reads a status.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Active, Self::Suspended, Self::Inactive]
            .into_iter()
            .find(|s| s.as_str() == text)
    }
}

/// A customer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Account {
    /// Its id.
    pub account_id: AccountId,
    /// A row of `account_types`.
    pub account_type_code: Code,
    /// The account above it; none for the owner of a tree.
    pub parent_account_id: Option<AccountId>,
    /// The product's own id for it, unique in the namespace.
    pub external_id: Option<String>,
    /// Its name for people.
    pub display_name: Option<String>,
    /// Its e-mail address.
    pub email: Option<String>,
    /// An IANA zone name in which its calendar windows fall; UTC where none is set.
    pub timezone: Option<String>,
    /// Free fields of the product, as texts.
    pub metadata: BTreeMap<String, String>,
    /// Whether it is served.
    pub status: AccountStatus,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// An id that a provider (`stripe`, `auth0`, ...) has for an account, unique in the namespace.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Hash, Serialize)]
pub struct ExternalKey {
    /// Whose id it is.
    pub provider: Code,
    /// The id.
    pub external_id: String,
}

/// A link between an account and an id of a provider's.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct ExternalLink {
    /// The id.
    #[serde(flatten)]
    pub key: ExternalKey,
    /// The account.
    pub account_id: AccountId,
}

impl Account {
    /// The zone of its calendar windows.
    pub fn zone(&self) -> Zone {
        self.timezone
            .as_deref()
            .and_then(Zone::parse)
            .unwrap_or_else(Zone::utc)
    }

    /// Refuses what no account may be, naming the field.
    pub fn validate(&self) -> Result<(), Refusal> {
        let texts = [
            ("display_name", &self.display_name, 255),
            ("email", &self.email, 320),
        ];
        for (field, text, longest) in texts {
            if text
                .as_ref()
                .is_some_and(|t| t.len() > longest || t.chars().any(char::is_control))
            {
                return Err(Refusal::bad_value(
                    field,
                    format!("at most {longest} bytes without control characters"),
                ));
            }
        }
        if self
            .external_id
            .as_deref()
            .is_some_and(|id| !crate::ids::is_key(id))
        {
            return Err(Refusal::bad_value(
                "external_id",
                "1 to 255 bytes without control characters",
            ));
        }
        if self
            .timezone
            .as_deref()
            .is_some_and(|zone| Zone::parse(zone).is_none())
        {
            return Err(Refusal::bad_value(
                "timezone",
                "an IANA zone name such as Europe/Berlin",
            ));
        }
        let too_much = self.metadata.len() > 50
            || self
                .metadata
                .iter()
                .any(|(k, v)| k.is_empty() || k.len() > 100 || v.len() > 1000);
        if too_much {
            return Err(Refusal::bad_value(
                "metadata",
                "at most 50 keys of 100 bytes with values of 1000 bytes",
            ));
        }
        Ok(())
    }
}
