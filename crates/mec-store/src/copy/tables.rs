//! Every table that is moved, with its columns and how each is told.

/// How a value is told in a neutral row. Where there is none, all of them are null.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// A text.
    Text,
    /// A whole number.
    Number,
    /// True or false.
    Flag,
    /// A quantity, as decimal text.
    Quantity,
    /// A sum in a base unit, which may be larger than a quantity, as decimal text.
    Amount,
    /// A number that the source holds as decimal text already.
    Decimal,
    /// A moment.
    At,
    /// An id.
    Id,
    /// Ids, as an array.
    Ids,
    /// Bytes, as `\x` and hexadecimal digits.
    Bytes,
    /// JSON, as it stands.
    Json,
}

/// A table that is moved.
#[derive(Debug, Eq, PartialEq)]
pub struct Table {
    /// Its name, the same in both stores.
    pub name: &'static str,
    /// Its columns.
    pub columns: &'static [(&'static str, Kind)],
}

/// A table, in a form that shows a whole one at a glance.
macro_rules! table {
    ($name:literal: $($column:ident $kind:ident,)+) => {
        &Table {
            name: $name,
            columns: &[$((stringify!($column), $kind)),+],
        }
    };
}

use Kind::{Amount, At, Bytes, Decimal, Flag, Id, Ids, Json, Number, Quantity, Text};

/// Entitlements, of which none is put without a row of its audit.
pub const ENTITLEMENTS: &Table = table! { "entitlements":
    namespace_id Text, entitlement_id Id, account_id Id, resource_type_code Text, resource_scope Text,
    limit_kind_code Text, quantity_allowed Quantity, unit_code Text, effective_start At,
    effective_end At, window_type_code Text, window_anchor At, plan_id Text, template_id Id,
    subscription_id Id, usage_from At, priority Number, status Text, version Number, superseded_by Id,
    created_at At, updated_at At,
};

/// What became of entitlements.
pub const ENTITLEMENTS_AUDIT: &Table = table! { "entitlements_audit":
    namespace_id Text, audit_id Id, entitlement_id Id, operation Text, old_values Json,
    new_values Json, changed_by Text, changed_at At,
};

/// The tables in the order in which they are copied: what others refer to comes first. Resource types
/// come last, since history may hold a unit that its resource type has ceased to allow: it was allowed
/// when it was recorded, and a store that guards this does so for the resource types it has.
pub const TABLES: &[&Table] = &[
    table! { "account_types":
        account_type_code Text, description Text, can_have_children Flag,
    },
    table! { "units":
        unit_code Text, unit_category Text, description Text, scale Number, base_unit_code Text,
        base_factor Number,
    },
    table! { "window_types":
        window_type_code Text, description Text, mode Text, period_unit Text, period_count Number,
    },
    table! { "catalogue_versions":
        namespace_id Text, version Number,
    },
    table! { "plans":
        namespace_id Text, plan_id Text, plan_name Text, description Text, is_trial Flag,
        trial_days Number, is_addon Flag, external_id Text, status Text, created_at At, updated_at At,
    },
    table! { "plan_entitlement_templates":
        namespace_id Text, template_id Id, plan_id Text, position Number, resource_type_code Text,
        resource_scope Text, limit_kind_code Text, quantity_allowed Quantity, per_seat Flag,
        unit_code Text, window_type_code Text, duration_days Number, priority Number,
    },
    table! { "control_rules":
        namespace_id Text, rule_id Id, rule_name Text, position Number, resource_type_code Text,
        resource_scope Text, limit_kind_code Text, limit_action_code Text, warn_at_percent Quantity,
        grace_quantity Quantity, grace_window_hours Number, overage_multiplier Quantity, priority Number,
        is_active Flag, created_at At,
    },
    table! { "control_rule_conditions":
        namespace_id Text, rule_id Id, position Number, condition_key Text, condition_op Text,
        condition_value Text,
    },
    table! { "accounts":
        namespace_id Text, account_id Id, account_type_code Text, parent_account_id Id,
        owner_account_id Id, has_had_children Flag, external_id Text, display_name Text, email Text,
        timezone Text, metadata Json, status Text, created_at At, updated_at At,
    },
    table! { "account_external_ids":
        namespace_id Text, external_id Text, provider Text, account_id Id,
    },
    table! { "subscriptions":
        namespace_id Text, subscription_id Id, account_id Id, plan_id Text, external_id Text, status Text,
        quantity Number, current_period_start At, current_period_end At, cancel_at At, created_at At,
        updated_at At,
    },
    ENTITLEMENTS,
    table! { "entitlement_conditions":
        namespace_id Text, entitlement_id Id, position Number, condition_key Text, condition_op Text,
        condition_value Text,
    },
    ENTITLEMENTS_AUDIT,
    table! { "consumption_ledger":
        namespace_id Text, event_id Id, idempotency_key Text, account_id Id, resource_type_code Text,
        resource_scope Text, quantity Quantity, unit_code Text, occurred_at At, period_start At,
        period_end At, is_correction Flag, corrects_event_id Id, created_at At, owner_account_id Id,
        recorded_under Ids, chain_id Id, chain_seq Number, chain_hash Bytes,
    },
    table! { "consumption_event_details":
        namespace_id Text, event_id Id, detail_key Text, detail_value Text,
    },
    table! { "grants":
        namespace_id Text, grant_id Id, account_id Id, resource_type_code Text, resource_scope Text,
        window_type_code Text, quantity Quantity, unit_code Text, remaining Amount, priority Number,
        expires_at At, reason Text, voided_at At, created_at At,
    },
    table! { "grant_draws":
        namespace_id Text, event_id Id, grant_id Id, ordinal Number, amount Amount,
    },
    table! { "reservations":
        namespace_id Text, reservation_id Id, account_id Id, resource_type_code Text, resource_scope Text,
        quantity Quantity, unit_code Text, created_at At, expires_at At, status Text, event_id Id,
        committed_quantity Quantity, grant_holds Json,
    },
    table! { "idempotency_keys":
        namespace_id Text, key_hash Bytes, key Text, rpc Text, args_hash Bytes, event_id Id, answer Text,
        created_at At,
    },
    table! { "concurrency_leases":
        namespace_id Text, lease_id Id, account_id Id, resource_type_code Text, resource_scope Text,
        slots Number, fencing_token Number, acquired_at At, expires_at At, last_heartbeat At,
        released_at At, session_token Text, session_metadata Text, ttl_seconds Number, decision Text,
        created_at At,
    },
    table! { "control_decisions_log":
        namespace_id Text, decision_id Id, account_id Id, resource_type_code Text, resource_scope Text,
        requested_quantity Quantity, unit_code Text, decision Text, code Text, reason Text, rule_id Id,
        entitlement_id Id, usage_at_decision Decimal, limit_at_decision Decimal, percent_used Decimal,
        request_id Text, decided_at At,
    },
    table! { "trees":
        namespace_id Text, tree_id Id, chain_id Id, chain_seq Number, chain_hash Bytes,
        fencing_token Number, last_at At, version Number,
    },
    table! { "tree_scopes":
        namespace_id Text, tree_id Id, resource_type_code Text, resource_scope Text,
    },
    table! { "usage_buckets":
        namespace_id Text, level_id Id, resource_type_code Text, drawn_for Text, resource_scope Text,
        granularity Number, bucket_start At, amount Amount,
    },
    table! { "own_totals":
        namespace_id Text, level_id Id, resource_type_code Text, resource_scope Text, amount Amount,
    },
    table! { "open_holds":
        namespace_id Text, level_id Id, kind Number, hold_id Id, tree_id Id, resource_type_code Text,
        resource_scope Text, amount Amount, created_at At, expires_at At, grants Json,
    },
    table! { "grace_clocks":
        namespace_id Text, level_id Id, resource_type_code Text, limit_kind_code Text,
        window_type_code Text, resource_scope Text, since At, window_start At,
    },
    table! { "former_descendants":
        namespace_id Text, level_id Id, account_id Id,
    },
    table! { "recorded_units":
        unit_code Text,
    },
    table! { "api_keys":
        namespace_id Text, key_id Id, key_name Text, role Text, account_id Id, secret_hash Bytes,
        created_by Text, created_at At, expires_at At, revoked_at At, last_used_at At,
    },
    table! { "resource_types":
        namespace_id Text, resource_type_code Text, description Text, default_unit_code Text,
        is_inventory Flag, is_concurrency Flag, is_time_bound Flag,
    },
    table! { "resource_type_allowed_units":
        namespace_id Text, resource_type_code Text, unit_code Text, position Number,
    },
];
