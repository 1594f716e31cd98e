//! What accounts used, hold and were granted.

use super::{NONE, growing, needed, optional, stays};
use crate::Role;
use crate::schema::{Belongs, Kind, Resource, Source};

pub(super) const CONSUMPTION: Resource = Resource {
    name: "consumption",
    description: "The ledger: what was used, when and by whom.",
    columns: &[
        needed("namespace_id", Kind::Text),
        needed("event_id", Kind::Uuid),
        optional("idempotency_key", Kind::Text),
        needed("account_id", Kind::Uuid),
        needed("resource_type_code", Kind::Text),
        optional("resource_scope", Kind::Text),
        needed("quantity", Kind::Quantity),
        needed("unit_code", Kind::Text),
        needed("occurred_at", Kind::Time),
        optional("period_start", Kind::Time),
        optional("period_end", Kind::Time),
        needed("is_correction", Kind::Boolean),
        optional("corrects_event_id", Kind::Uuid),
        needed("created_at", Kind::Time),
        needed("owner_account_id", Kind::Uuid),
        needed("chain_id", Kind::Uuid),
        needed("chain_seq", Kind::Integer),
        needed("chain_hash", Kind::Bytes),
    ],
    key: &["event_id"],
    belongs: Belongs::Account("account_id"),
    least_reader: Role::MecUser,
    writes: NONE,
    source: growing("filter by account_id or by a range of occurred_at, and order by occurred_at"),
};

pub(super) const CONSUMPTION_EVENT_DETAILS: Resource = Resource {
    name: "consumption_event_details",
    description: "What was told of events beside their columns.",
    columns: &[
        needed("namespace_id", Kind::Text),
        needed("event_id", Kind::Uuid),
        needed("detail_key", Kind::Text),
        needed("detail_value", Kind::Text),
    ],
    key: &["event_id", "detail_key"],
    belongs: Belongs::Row {
        column: "event_id",
        of: "consumption",
    },
    least_reader: Role::MecUser,
    writes: NONE,
    source: growing("filter by event_id"),
};

pub(super) const RESERVATIONS: Resource = Resource {
    name: "reservations",
    description: "Quota that is held before work starts.",
    columns: &[
        needed("namespace_id", Kind::Text),
        needed("reservation_id", Kind::Uuid),
        needed("account_id", Kind::Uuid),
        needed("resource_type_code", Kind::Text),
        optional("resource_scope", Kind::Text),
        needed("quantity", Kind::Quantity),
        needed("unit_code", Kind::Text),
        needed("created_at", Kind::Time),
        needed("expires_at", Kind::Time),
        needed("status", Kind::Text),
        optional("event_id", Kind::Uuid),
        optional("committed_quantity", Kind::Quantity),
    ],
    key: &["reservation_id"],
    belongs: Belongs::Account("account_id"),
    least_reader: Role::MecUser,
    writes: NONE,
    source: growing("filter by reservation_id or account_id"),
};

pub(super) const GRANTS: Resource = Resource {
    name: "grants",
    description: "Prepaid quantity beside the plan.",
    columns: &[
        needed("namespace_id", Kind::Text),
        needed("grant_id", Kind::Uuid),
        needed("account_id", Kind::Uuid),
        needed("resource_type_code", Kind::Text),
        optional("resource_scope", Kind::Text),
        needed("window_type_code", Kind::Text),
        needed("quantity", Kind::Quantity),
        needed("unit_code", Kind::Text),
        needed("remaining", Kind::Amount),
        needed("priority", Kind::Integer),
        optional("expires_at", Kind::Time),
        optional("reason", Kind::Text),
        optional("voided_at", Kind::Time),
        needed("created_at", Kind::Time),
    ],
    key: &["grant_id"],
    belongs: Belongs::Account("account_id"),
    least_reader: Role::MecUser,
    writes: stays(Role::MecService),
    source: Source::Store,
};

pub(super) const GRANT_DRAWS: Resource = Resource {
    name: "grant_draws",
    description: "What events drew from grants.",
    columns: &[
        needed("namespace_id", Kind::Text),
        needed("event_id", Kind::Uuid),
        needed("grant_id", Kind::Uuid),
        needed("ordinal", Kind::Integer),
        needed("amount", Kind::Amount),
    ],
    key: &["event_id", "grant_id"],
    belongs: Belongs::Row {
        column: "grant_id",
        of: "grants",
    },
    least_reader: Role::MecUser,
    writes: NONE,
    source: growing("filter by event_id"),
};
