SELECT grant_id, account_id, resource_type_code, resource_scope, window_type_code, quantity, unit_code, remaining_whole,
    remaining_micros, priority, expires_at, reason, voided_at, created_at
FROM grants INDEXED BY grants_open_by_account
WHERE namespace_id = ?1 AND account_id = ?2
    AND voided_at IS NULL AND (remaining_whole > 0 OR remaining_micros > 0)
ORDER BY grant_id
