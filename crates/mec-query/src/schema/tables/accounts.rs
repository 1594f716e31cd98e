//! Accounts, and what belongs to them alone.

use super::{NONE, key, needed, optional, stays};
use crate::Role;
use crate::schema::{Belongs, Column, Kind, Resource, Source};

pub(super) const ACCOUNTS: Resource = Resource {
    name: "accounts",
    description: "Customers, in trees.",
    columns: &[
        needed("namespace_id", Kind::Text),
        needed("account_id", Kind::Uuid),
        needed("account_type_code", Kind::Text),
        optional("parent_account_id", Kind::Uuid),
        optional("external_id", Kind::Text),
        optional("display_name", Kind::Text),
        optional("email", Kind::Text),
        optional("timezone", Kind::Text),
        needed("metadata", Kind::Json),
        needed("status", Kind::Text),
        needed("created_at", Kind::Time),
        needed("updated_at", Kind::Time),
    ],
    key: &["account_id"],
    belongs: Belongs::Account("account_id"),
    least_reader: Role::MecUser,
    writes: stays(Role::MecService),
    source: Source::Store,
};

pub(super) const ACCOUNT_EXTERNAL_IDS: Resource = Resource {
    name: "account_external_ids",
    description: "The ids that other systems have for accounts.",
    columns: &[
        needed("namespace_id", Kind::Text),
        needed("provider", Kind::Text),
        needed("external_id", Kind::Text),
        needed("account_id", Kind::Uuid),
    ],
    key: &["provider", "external_id"],
    belongs: Belongs::Account("account_id"),
    least_reader: Role::MecUser,
    writes: key(Role::MecService),
    source: Source::Store,
};

pub(super) const ACCOUNT_HIERARCHY: Resource = Resource {
    name: "account_hierarchy",
    description: "Accounts with the owners of their trees.",
    columns: &[
        needed("namespace_id", Kind::Text),
        needed("account_id", Kind::Uuid),
        needed("account_type_code", Kind::Text),
        optional("parent_account_id", Kind::Uuid),
        optional("external_id", Kind::Text),
        optional("display_name", Kind::Text),
        needed("status", Kind::Text),
        needed("owner_account_id", Kind::Uuid),
        Column {
            tells_of: Some("owner_account_id"),
            ..optional("owner_display_name", Kind::Text)
        },
    ],
    key: &["account_id"],
    belongs: Belongs::Account("account_id"),
    least_reader: Role::MecUser,
    writes: NONE,
    source: Source::Store,
};

pub(super) const SUBSCRIPTIONS: Resource = Resource {
    name: "subscriptions",
    description: "The plans that accounts hold.",
    columns: &[
        needed("namespace_id", Kind::Text),
        needed("subscription_id", Kind::Uuid),
        needed("account_id", Kind::Uuid),
        needed("plan_id", Kind::Text),
        optional("external_id", Kind::Text),
        needed("status", Kind::Text),
        needed("quantity", Kind::Integer),
        needed("current_period_start", Kind::Time),
        optional("current_period_end", Kind::Time),
        optional("cancel_at", Kind::Time),
        needed("created_at", Kind::Time),
        needed("updated_at", Kind::Time),
    ],
    key: &["subscription_id"],
    belongs: Belongs::Account("account_id"),
    least_reader: Role::MecUser,
    writes: NONE,
    source: Source::Store,
};
