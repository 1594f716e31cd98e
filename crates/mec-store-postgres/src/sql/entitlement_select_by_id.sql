SELECT entitlement_id, account_id, resource_type_code, resource_scope, limit_kind_code, quantity_allowed::text,
    unit_code, effective_start, effective_end, window_type_code, window_anchor, plan_id, template_id, subscription_id,
    usage_from, priority, status, version, superseded_by, created_at, updated_at
FROM entitlements
WHERE namespace_id = $1 AND entitlement_id = $2
