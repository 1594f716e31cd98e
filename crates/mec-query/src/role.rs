//! Roles of callers.

use serde::{Deserialize, Serialize};

/// What a caller may do, from the least to the most.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Ord, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads what is public; calls no RPC.
    MecAnon,
    /// Reads, checks, meters, consumes and leases.
    MecUser,
    /// All RPCs and writes of its namespace.
    MecService,
    /// The catalogue too; with the namespace `*` any namespace.
    MecAdmin,
}

impl Role {
    /// The role of a name.
    pub fn parse(name: &str) -> Option<Self> {
        let roles = [
            Self::MecAnon,
            Self::MecUser,
            Self::MecService,
            Self::MecAdmin,
        ];
        roles.into_iter().find(|role| role.as_str() == name)
    }

    /// The role as tokens write it, and as the database calls it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MecAnon => "mec_anon",
            Self::MecUser => "mec_user",
            Self::MecService => "mec_service",
            Self::MecAdmin => "mec_admin",
        }
    }
}
