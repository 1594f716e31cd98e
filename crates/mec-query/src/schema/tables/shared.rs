//! The rows that all namespaces share.

use super::{NONE, all, needed, optional};
use crate::Role;
use crate::schema::{Belongs, Kind, Resource, Source};

pub(super) const ACCOUNT_TYPES: Resource = Resource {
    name: "account_types",
    description: "The kinds of accounts.",
    columns: &[
        needed("account_type_code", Kind::Text),
        needed("description", Kind::Text),
        needed("can_have_children", Kind::Boolean),
    ],
    key: &["account_type_code"],
    belongs: Belongs::All,
    least_reader: Role::MecAnon,
    writes: all(Role::MecAdmin),
    source: Source::Store,
};

pub(super) const UNITS: Resource = Resource {
    name: "units",
    description: "What quantities count.",
    columns: &[
        needed("unit_code", Kind::Text),
        needed("unit_category", Kind::Text),
        needed("description", Kind::Text),
        needed("scale", Kind::Integer),
        needed("base_unit_code", Kind::Text),
        needed("base_factor", Kind::Integer),
    ],
    key: &["unit_code"],
    belongs: Belongs::All,
    least_reader: Role::MecAnon,
    writes: all(Role::MecAdmin),
    source: Source::Store,
};

pub(super) const LIMIT_KINDS: Resource = Resource {
    name: "limit_kinds",
    description: "How limits count.",
    columns: &[
        needed("limit_kind_code", Kind::Text),
        needed("description", Kind::Text),
    ],
    key: &["limit_kind_code"],
    belongs: Belongs::All,
    least_reader: Role::MecAnon,
    writes: NONE,
    source: Source::Store,
};

pub(super) const WINDOW_TYPES: Resource = Resource {
    name: "window_types",
    description: "The windows in which limits count.",
    columns: &[
        needed("window_type_code", Kind::Text),
        needed("description", Kind::Text),
        needed("mode", Kind::Text),
        optional("period_unit", Kind::Text),
        needed("period_count", Kind::Integer),
    ],
    key: &["window_type_code"],
    belongs: Belongs::All,
    least_reader: Role::MecAnon,
    writes: all(Role::MecAdmin),
    source: Source::Store,
};

pub(super) const LIMIT_ACTIONS: Resource = Resource {
    name: "limit_actions",
    description: "What happens at the boundary of a limit.",
    columns: &[
        needed("limit_action_code", Kind::Text),
        needed("description", Kind::Text),
    ],
    key: &["limit_action_code"],
    belongs: Belongs::All,
    least_reader: Role::MecAnon,
    writes: NONE,
    source: Source::Store,
};
