//! A namespace's catalogue.

use super::{all, key, needed, optional};
use crate::Role;
use crate::schema::{Belongs, Kind, Resource, Source};

pub(super) const RESOURCE_TYPES: Resource = Resource {
    name: "resource_types",
    description: "What is metered or limited.",
    columns: &[
        needed("namespace_id", Kind::Text),
        needed("resource_type_code", Kind::Text),
        needed("description", Kind::Text),
        needed("default_unit_code", Kind::Text),
        needed("is_inventory", Kind::Boolean),
        needed("is_concurrency", Kind::Boolean),
        needed("is_time_bound", Kind::Boolean),
    ],
    key: &["resource_type_code"],
    belongs: Belongs::Namespace,
    least_reader: Role::MecUser,
    writes: all(Role::MecAdmin),
    source: Source::Store,
};

pub(super) const RESOURCE_TYPE_ALLOWED_UNITS: Resource = Resource {
    name: "resource_type_allowed_units",
    description: "The units that a resource type allows.",
    columns: &[
        needed("namespace_id", Kind::Text),
        needed("resource_type_code", Kind::Text),
        needed("unit_code", Kind::Text),
    ],
    key: &["resource_type_code", "unit_code"],
    belongs: Belongs::Namespace,
    least_reader: Role::MecUser,
    writes: key(Role::MecAdmin),
    source: Source::Store,
};

pub(super) const PLANS: Resource = Resource {
    name: "plans",
    description: "Commercial packages.",
    columns: &[
        needed("namespace_id", Kind::Text),
        needed("plan_id", Kind::Text),
        needed("plan_name", Kind::Text),
        needed("description", Kind::Text),
        needed("is_trial", Kind::Boolean),
        optional("trial_days", Kind::Integer),
        needed("is_addon", Kind::Boolean),
        optional("external_id", Kind::Text),
        needed("status", Kind::Text),
        needed("created_at", Kind::Time),
        needed("updated_at", Kind::Time),
    ],
    key: &["plan_id"],
    belongs: Belongs::Namespace,
    least_reader: Role::MecAnon,
    writes: all(Role::MecAdmin),
    source: Source::Store,
};

pub(super) const PLAN_ENTITLEMENT_TEMPLATES: Resource = Resource {
    name: "plan_entitlement_templates",
    description: "What a plan gives when it is provisioned.",
    columns: &[
        needed("namespace_id", Kind::Text),
        needed("template_id", Kind::Uuid),
        needed("plan_id", Kind::Text),
        needed("resource_type_code", Kind::Text),
        optional("resource_scope", Kind::Text),
        needed("limit_kind_code", Kind::Text),
        optional("quantity_allowed", Kind::Quantity),
        needed("per_seat", Kind::Boolean),
        needed("unit_code", Kind::Text),
        needed("window_type_code", Kind::Text),
        optional("duration_days", Kind::Integer),
        needed("priority", Kind::Integer),
    ],
    key: &["template_id"],
    belongs: Belongs::Namespace,
    least_reader: Role::MecUser,
    writes: all(Role::MecAdmin),
    source: Source::Store,
};

pub(super) const CONTROL_RULES: Resource = Resource {
    name: "control_rules",
    description: "What happens at the boundary of a limit.",
    columns: &[
        needed("namespace_id", Kind::Text),
        needed("rule_id", Kind::Uuid),
        needed("rule_name", Kind::Text),
        needed("resource_type_code", Kind::Text),
        optional("resource_scope", Kind::Text),
        needed("limit_kind_code", Kind::Text),
        needed("limit_action_code", Kind::Text),
        optional("warn_at_percent", Kind::Quantity),
        optional("grace_quantity", Kind::Quantity),
        optional("grace_window_hours", Kind::Integer),
        optional("overage_multiplier", Kind::Quantity),
        needed("priority", Kind::Integer),
        needed("is_active", Kind::Boolean),
    ],
    key: &["rule_id"],
    belongs: Belongs::Namespace,
    least_reader: Role::MecUser,
    writes: all(Role::MecAdmin),
    source: Source::Store,
};

pub(super) const CONTROL_RULE_CONDITIONS: Resource = Resource {
    name: "control_rule_conditions",
    description: "When a rule holds.",
    columns: &[
        needed("namespace_id", Kind::Text),
        needed("rule_id", Kind::Uuid),
        needed("condition_key", Kind::Text),
        needed("condition_op", Kind::Text),
        optional("condition_value", Kind::Text),
    ],
    key: &["rule_id", "condition_key", "condition_op"],
    belongs: Belongs::Namespace,
    least_reader: Role::MecUser,
    writes: all(Role::MecAdmin),
    source: Source::Store,
};
