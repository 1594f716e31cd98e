SELECT reservation_id, account_id, resource_type_code, resource_scope, quantity::text, unit_code, created_at, expires_at,
    status, event_id, committed_quantity::text, grant_holds::text
FROM reservations
WHERE namespace_id = $1 AND reservation_id = $2
