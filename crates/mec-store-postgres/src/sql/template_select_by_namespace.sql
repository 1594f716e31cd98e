SELECT plan_id, template_id, resource_type_code, resource_scope, limit_kind_code, quantity_allowed::text, per_seat,
    unit_code, window_type_code, duration_days, priority
FROM plan_entitlement_templates
WHERE namespace_id = $1
ORDER BY plan_id, position
