SELECT grant_id, account_id, resource_type_code, resource_scope, window_type_code, quantity::text, unit_code,
    remaining::text, priority, expires_at, reason, voided_at, created_at
FROM grants
WHERE namespace_id = $1 AND grant_id = $2
