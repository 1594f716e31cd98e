SELECT reservation_id, account_id, resource_type_code, resource_scope, quantity, unit_code, created_at, expires_at,
    status, event_id, committed_quantity, grant_holds
FROM reservations INDEXED BY reservations_open_by_account
WHERE namespace_id = ?1 AND account_id = ?2 AND status = 'open' AND expires_at > ?3
ORDER BY reservation_id
