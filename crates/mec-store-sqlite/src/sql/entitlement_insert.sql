INSERT INTO entitlements (namespace_id, entitlement_id, account_id, resource_type_code, resource_scope,
    limit_kind_code, quantity_allowed, unit_code, effective_start, effective_end, window_type_code,
    window_anchor, plan_id, template_id, subscription_id, usage_from, priority, status, version,
    superseded_by, created_at, updated_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22)
