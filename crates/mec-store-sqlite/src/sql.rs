//! The statements, each from its own file. [`ALL`] lists them for the test that prepares every one.

macro_rules! statements {
    ($($name:ident = $file:literal;)*) => {
        $(pub(crate) const $name: &str = include_str!(concat!("sql/", $file, ".sql"));)*
        /// Every statement with the name of its file.
        #[cfg(test)]
        pub(crate) const ALL: &[(&str, &str)] = &[$(($file, $name)),*];
    };
}

statements! {
    ACCOUNT_INSERT = "account_insert";
    ACCOUNT_LOCATE_BY_EVENT = "account_locate_by_event";
    ACCOUNT_LOCATE_BY_EXTERNAL_ID = "account_locate_by_external_id";
    ACCOUNT_LOCATE_BY_GRANT = "account_locate_by_grant";
    ACCOUNT_LOCATE_BY_ID = "account_locate_by_id";
    ACCOUNT_LOCATE_BY_LEASE = "account_locate_by_lease";
    ACCOUNT_LOCATE_BY_PROVIDER_ID = "account_locate_by_provider_id";
    ACCOUNT_LOCATE_BY_RESERVATION = "account_locate_by_reservation";
    ACCOUNT_MARK_PARENT_BY_ID = "account_mark_parent_by_id";
    ACCOUNT_SELECT_ANCESTORS_BY_ID = "account_select_ancestors_by_id";
    ACCOUNT_SELECT_BY_ID = "account_select_by_id";
    ACCOUNT_SELECT_HAD_CHILDREN_BY_ID = "account_select_had_children_by_id";
    ACCOUNT_TYPE_INSERT = "account_type_insert";
    ACCOUNT_TYPE_SELECT_ALL = "account_type_select_all";
    ACCOUNT_UPDATE_BY_ID = "account_update_by_id";
    ALLOWED_UNIT_DELETE_BY_RESOURCE_TYPE = "allowed_unit_delete_by_resource_type";
    ALLOWED_UNIT_INSERT = "allowed_unit_insert";
    ALLOWED_UNIT_SELECT_BY_NAMESPACE = "allowed_unit_select_by_namespace";
    BUCKET_ADD_BY_COUNTER = "bucket_add_by_counter";
    BUCKET_SELECT_BY_COUNTER = "bucket_select_by_counter";
    CATALOGUE_VERSION_RAISE_BY_NAMESPACE = "catalogue_version_raise_by_namespace";
    CATALOGUE_VERSION_SELECT_BY_NAMESPACE = "catalogue_version_select_by_namespace";
    COUNTER_INSERT = "counter_insert";
    COUNTER_SELECT_BY_LEVEL = "counter_select_by_level";
    COUNTER_SELECT_SCOPES_BY_LEVEL = "counter_select_scopes_by_level";
    DECISION_INSERT = "decision_insert";
    ENTITLEMENT_AUDIT_INSERT = "entitlement_audit_insert";
    ENTITLEMENT_CONDITION_DELETE_BY_ENTITLEMENT = "entitlement_condition_delete_by_entitlement";
    ENTITLEMENT_CONDITION_INSERT = "entitlement_condition_insert";
    ENTITLEMENT_CONDITION_SELECT_BY_ACCOUNT = "entitlement_condition_select_by_account";
    ENTITLEMENT_INSERT = "entitlement_insert";
    ENTITLEMENT_SELECT_BY_ACCOUNT = "entitlement_select_by_account";
    ENTITLEMENT_UPDATE_BY_ID = "entitlement_update_by_id";
    EVENT_DETAIL_INSERT = "event_detail_insert";
    EVENT_DETAIL_SELECT_BY_EVENT = "event_detail_select_by_event";
    EVENT_INSERT = "event_insert";
    EVENT_SELECT_ALL_BY_CHAIN = "event_select_all_by_chain";
    EVENT_SELECT_BY_ID = "event_select_by_id";
    EVENT_SELECT_QUANTITIES_BY_CORRECTED = "event_select_quantities_by_corrected";
    GRACE_CLOCK_DELETE_BY_LIMIT = "grace_clock_delete_by_limit";
    GRACE_CLOCK_SELECT_BY_LEVEL = "grace_clock_select_by_level";
    GRACE_CLOCK_UPSERT_BY_LIMIT = "grace_clock_upsert_by_limit";
    GRANT_DRAW_SELECT_BY_EVENT = "grant_draw_select_by_event";
    GRANT_DRAW_UPSERT_BY_EVENT = "grant_draw_upsert_by_event";
    GRANT_SELECT_BY_ID = "grant_select_by_id";
    GRANT_SELECT_KINDS_BY_ACCOUNT = "grant_select_kinds_by_account";
    GRANT_SELECT_OPEN_BY_ACCOUNT = "grant_select_open_by_account";
    GRANT_UPDATE_REMAINING_BY_ID = "grant_update_remaining_by_id";
    GRANT_UPSERT_BY_ID = "grant_upsert_by_id";
    KEY_INSERT = "key_insert";
    KEY_SELECT_BY_HASH = "key_select_by_hash";
    LEASE_SELECT_LIVE_BY_ACCOUNT = "lease_select_live_by_account";
    LEASE_UPSERT_BY_ID = "lease_upsert_by_id";
    META_SELECT_BY_NAME = "meta_select_by_name";
    META_UPDATE_BY_NAME = "meta_update_by_name";
    OPEN_HOLD_DELETE_BY_EXPIRY = "open_hold_delete_by_expiry";
    OPEN_HOLD_DELETE_BY_LEVEL = "open_hold_delete_by_level";
    OPEN_HOLD_SELECT_BY_LEVEL = "open_hold_select_by_level";
    OPEN_HOLD_UPSERT_BY_LEVEL = "open_hold_upsert_by_level";
    OWN_TOTAL_ADD_BY_LEVEL = "own_total_add_by_level";
    OWN_TOTAL_SELECT_BY_LEVEL = "own_total_select_by_level";
    PLAN_ARCHIVE_BY_ID = "plan_archive_by_id";
    PLAN_DELETE_UNHELD_BY_ID = "plan_delete_unheld_by_id";
    PLAN_SELECT_BY_NAMESPACE = "plan_select_by_namespace";
    PLAN_UPSERT_BY_ID = "plan_upsert_by_id";
    RESERVATION_SELECT_BY_ID = "reservation_select_by_id";
    RESERVATION_SELECT_OPEN_BY_ACCOUNT = "reservation_select_open_by_account";
    RESERVATION_UPSERT_BY_ID = "reservation_upsert_by_id";
    RESOURCE_TYPE_DELETE_UNUSED_BY_CODE = "resource_type_delete_unused_by_code";
    RESOURCE_TYPE_SELECT_BY_NAMESPACE = "resource_type_select_by_namespace";
    RESOURCE_TYPE_UPSERT_BY_CODE = "resource_type_upsert_by_code";
    RULE_CONDITION_INSERT = "rule_condition_insert";
    RULE_CONDITION_SELECT_BY_NAMESPACE = "rule_condition_select_by_namespace";
    RULE_DELETE_BY_NAMESPACE = "rule_delete_by_namespace";
    RULE_INSERT = "rule_insert";
    RULE_SELECT_BY_NAMESPACE = "rule_select_by_namespace";
    SCOPE_INSERT = "scope_insert";
    SCOPE_SELECT_BY_TREE = "scope_select_by_tree";
    SERIES_SELECT_ACCOUNTS_BY_LEVEL = "series_select_accounts_by_level";
    SERIES_SELECT_DETAILS_BY_LEVEL = "series_select_details_by_level";
    SUBSCRIPTION_SELECT_BY_ACCOUNT = "subscription_select_by_account";
    SUBSCRIPTION_UPSERT_BY_ID = "subscription_upsert_by_id";
    TEMPLATE_DELETE_BY_PLAN = "template_delete_by_plan";
    TEMPLATE_INSERT = "template_insert";
    TEMPLATE_SELECT_BY_NAMESPACE = "template_select_by_namespace";
    TREE_INSERT = "tree_insert";
    TREE_SELECT_BY_ID = "tree_select_by_id";
    TREE_SELECT_CHAINS_NOT_EMPTY = "tree_select_chains_not_empty";
    TREE_SELECT_HEAD_BY_CHAIN = "tree_select_head_by_chain";
    TREE_UPDATE_BY_ID = "tree_update_by_id";
    UNIT_INSERT = "unit_insert";
    UNIT_SELECT_ALL = "unit_select_all";
    USAGE_SELECT_ALL = "usage_select_all";
    USAGE_SELECT_OWN_BY_ACCOUNT = "usage_select_own_by_account";
    WINDOW_TYPE_INSERT = "window_type_insert";
    WINDOW_TYPE_SELECT_ALL = "window_type_select_all";
}
