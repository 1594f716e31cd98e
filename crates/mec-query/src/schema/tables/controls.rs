//! Leases, and what was decided.

use super::{NONE, growing, needed, optional};
use crate::Role;
use crate::schema::{Belongs, Kind, Resource, Source};

pub(super) const CONCURRENCY_LEASES: Resource = Resource {
    name: "concurrency_leases",
    description: "Slots that sessions hold or held.",
    columns: &[
        needed("namespace_id", Kind::Text),
        needed("lease_id", Kind::Uuid),
        needed("account_id", Kind::Uuid),
        needed("resource_type_code", Kind::Text),
        optional("resource_scope", Kind::Text),
        needed("slots", Kind::Integer),
        needed("fencing_token", Kind::Integer),
        needed("acquired_at", Kind::Time),
        needed("expires_at", Kind::Time),
        needed("last_heartbeat", Kind::Time),
        optional("released_at", Kind::Time),
        optional("session_token", Kind::Text),
        optional("session_metadata", Kind::Json),
        needed("created_at", Kind::Time),
    ],
    key: &["lease_id"],
    belongs: Belongs::Account("account_id"),
    least_reader: Role::MecUser,
    writes: NONE,
    source: growing("filter by lease_id or account_id"),
};

pub(super) const ACTIVE_LEASES: Resource = Resource {
    name: "active_leases",
    description: "The slots that sessions hold now.",
    columns: &[
        needed("namespace_id", Kind::Text),
        needed("lease_id", Kind::Uuid),
        needed("account_id", Kind::Uuid),
        needed("resource_type_code", Kind::Text),
        optional("resource_scope", Kind::Text),
        needed("slots", Kind::Integer),
        needed("fencing_token", Kind::Integer),
        needed("acquired_at", Kind::Time),
        needed("expires_at", Kind::Time),
        needed("last_heartbeat", Kind::Time),
        optional("session_token", Kind::Text),
        optional("session_metadata", Kind::Json),
        needed("created_at", Kind::Time),
        optional("account_name", Kind::Text),
        needed("seconds_until_expiry", Kind::Integer),
    ],
    key: &["lease_id"],
    belongs: Belongs::Account("account_id"),
    least_reader: Role::MecUser,
    writes: NONE,
    source: growing("filter by account_id"),
};

pub(super) const CONTROL_DECISIONS: Resource = Resource {
    name: "control_decisions",
    description: "The answers to checks and requests, with their reasons.",
    columns: &[
        needed("namespace_id", Kind::Text),
        needed("decision_id", Kind::Uuid),
        needed("account_id", Kind::Uuid),
        needed("resource_type_code", Kind::Text),
        optional("resource_scope", Kind::Text),
        needed("requested_quantity", Kind::Quantity),
        optional("unit_code", Kind::Text),
        needed("decision", Kind::Text),
        needed("code", Kind::Text),
        needed("reason", Kind::Text),
        optional("rule_id", Kind::Uuid),
        optional("entitlement_id", Kind::Uuid),
        optional("usage_at_decision", Kind::Amount),
        optional("limit_at_decision", Kind::Amount),
        optional("percent_used", Kind::Amount),
        optional("request_id", Kind::Text),
        needed("decided_at", Kind::Time),
    ],
    key: &["decision_id"],
    belongs: Belongs::Account("account_id"),
    least_reader: Role::MecUser,
    writes: NONE,
    source: Source::Growing {
        hint: "filter by account_id, and order by decided_at",
        parts: &[
            "decisions_logged",
            "decisions_of_consume",
            "decisions_of_reserve",
            "decisions_of_acquire",
        ],
    },
};
