//! The resources of the API by what they are about, with their columns in the order of `*`.

mod accounts;
mod catalogue;
mod controls;
mod entitlements;
mod metering;
mod shared;

use super::{Column, Kind, Resource, Source, Writes};
use crate::Role;

const NONE: Writes = Writes::NONE;

const fn all(least_writer: Role) -> Writes {
    Writes {
        least_writer: Some(least_writer),
        insert: true,
        update: true,
        upsert: true,
        delete: true,
    }
}

/// Rows that are all key: they come and go, and have nothing that could change.
const fn key(least_writer: Role) -> Writes {
    Writes {
        update: false,
        ..all(least_writer)
    }
}

/// Rows that stay, since others tell of them.
const fn stays(least_writer: Role) -> Writes {
    Writes {
        delete: false,
        ..all(least_writer)
    }
}

const fn needed(name: &'static str, kind: Kind) -> Column {
    Column {
        name,
        kind,
        is_nullable: false,
        tells_of: None,
    }
}

const fn optional(name: &'static str, kind: Kind) -> Column {
    Column {
        is_nullable: true,
        ..needed(name, kind)
    }
}

const fn growing(hint: &'static str) -> Source {
    Source::Growing { hint, parts: &[] }
}

/// All resources, in the order of SPEC's tables.
pub const RESOURCES: &[Resource] = &[
    shared::ACCOUNT_TYPES,
    shared::UNITS,
    shared::LIMIT_KINDS,
    shared::WINDOW_TYPES,
    shared::LIMIT_ACTIONS,
    catalogue::RESOURCE_TYPES,
    catalogue::RESOURCE_TYPE_ALLOWED_UNITS,
    catalogue::PLANS,
    catalogue::PLAN_ENTITLEMENT_TEMPLATES,
    catalogue::CONTROL_RULES,
    catalogue::CONTROL_RULE_CONDITIONS,
    accounts::ACCOUNTS,
    accounts::ACCOUNT_EXTERNAL_IDS,
    accounts::ACCOUNT_HIERARCHY,
    accounts::SUBSCRIPTIONS,
    entitlements::ENTITLEMENTS,
    entitlements::USAGE_SUMMARY,
    entitlements::ACTIVE_ENTITLEMENTS,
    entitlements::ENTITLEMENT_CONDITIONS,
    entitlements::ENTITLEMENTS_AUDIT,
    metering::CONSUMPTION,
    metering::CONSUMPTION_EVENT_DETAILS,
    metering::RESERVATIONS,
    metering::GRANTS,
    metering::GRANT_DRAWS,
    controls::CONCURRENCY_LEASES,
    controls::ACTIVE_LEASES,
    controls::CONTROL_DECISIONS,
];
