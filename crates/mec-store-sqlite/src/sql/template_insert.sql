INSERT INTO plan_entitlement_templates (namespace_id, template_id, plan_id, position, resource_type_code,
    resource_scope, limit_kind_code, quantity_allowed, per_seat, unit_code, window_type_code, duration_days, priority)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
