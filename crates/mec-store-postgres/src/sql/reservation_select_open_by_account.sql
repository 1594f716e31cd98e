SELECT reservation_id, account_id, resource_type_code, resource_scope, quantity::text, unit_code, created_at, expires_at,
    status, event_id, committed_quantity::text, grant_holds::text
FROM reservations
WHERE namespace_id = $1 AND account_id = $2 AND status = 'open' AND expires_at > least($3, coalesce((
    SELECT t.last_at
    FROM accounts a
    JOIN trees t ON t.namespace_id = a.namespace_id AND t.tree_id = a.owner_account_id
    WHERE a.namespace_id = $1 AND a.account_id = $2
), $3))
ORDER BY reservation_id
