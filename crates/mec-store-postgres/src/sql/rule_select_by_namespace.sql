SELECT rule_id, rule_name, resource_type_code, resource_scope, limit_kind_code, limit_action_code,
    warn_at_percent::text, grace_quantity::text, grace_window_hours, overage_multiplier::text, priority, is_active,
    created_at
FROM control_rules
WHERE namespace_id = $1
ORDER BY position
