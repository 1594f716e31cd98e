WITH changed AS (
    SELECT c.*, (r.row ->> 'replaces')::bigint AS replaces
    FROM json_array_elements($1::text::json) AS r (row)
    CROSS JOIN LATERAL json_populate_record(NULL::entitlements, r.row) AS c
), updated AS (
    UPDATE entitlements e
    SET account_id = c.account_id, resource_type_code = c.resource_type_code, resource_scope = c.resource_scope, limit_kind_code = c.limit_kind_code, quantity_allowed = c.quantity_allowed, unit_code = c.unit_code, effective_start = c.effective_start, effective_end = c.effective_end, window_type_code = c.window_type_code, window_anchor = c.window_anchor, plan_id = c.plan_id, template_id = c.template_id, subscription_id = c.subscription_id, usage_from = c.usage_from, priority = c.priority, status = c.status, version = c.version, superseded_by = c.superseded_by, created_at = c.created_at, updated_at = c.updated_at
    FROM changed c
    WHERE e.namespace_id = c.namespace_id AND e.entitlement_id = c.entitlement_id AND e.version = c.replaces
    RETURNING 1
)
SELECT must_be((SELECT count(*) FROM updated), (SELECT count(*) FROM changed),
    'an entitlement is not at the version that was read')
