SELECT grant_id, account_id, resource_type_code, resource_scope, window_type_code, quantity, unit_code, remaining_whole,
    remaining_micros, priority, expires_at, reason, voided_at, created_at
FROM grants
WHERE namespace_id = ?1 AND grant_id = ?2
