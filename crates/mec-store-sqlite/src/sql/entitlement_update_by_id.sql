UPDATE entitlements
SET account_id = ?3, resource_type_code = ?4, resource_scope = ?5, limit_kind_code = ?6, quantity_allowed = ?7,
    unit_code = ?8, effective_start = ?9, effective_end = ?10, window_type_code = ?11, window_anchor = ?12,
    plan_id = ?13, template_id = ?14, subscription_id = ?15, usage_from = ?16, priority = ?17, status = ?18,
    version = ?19, superseded_by = ?20, created_at = ?21, updated_at = ?22
WHERE namespace_id = ?1 AND entitlement_id = ?2 AND version = ?23
