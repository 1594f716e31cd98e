INSERT INTO control_rules (namespace_id, rule_id, rule_name, position, resource_type_code, resource_scope, limit_kind_code, limit_action_code, warn_at_percent, grace_quantity, grace_window_hours, overage_multiplier, priority, is_active, created_at)
SELECT namespace_id, rule_id, rule_name, position, resource_type_code, resource_scope, limit_kind_code, limit_action_code, warn_at_percent, grace_quantity, grace_window_hours, overage_multiplier, priority, is_active, created_at
FROM json_populate_recordset(NULL::control_rules, $1::text::json)
