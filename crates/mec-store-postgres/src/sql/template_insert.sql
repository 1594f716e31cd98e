INSERT INTO plan_entitlement_templates (namespace_id, template_id, plan_id, position, resource_type_code, resource_scope, limit_kind_code, quantity_allowed, per_seat, unit_code, window_type_code, duration_days, priority)
SELECT namespace_id, template_id, plan_id, position, resource_type_code, resource_scope, limit_kind_code, quantity_allowed, per_seat, unit_code, window_type_code, duration_days, priority
FROM json_populate_recordset(NULL::plan_entitlement_templates, $1::text::json)
