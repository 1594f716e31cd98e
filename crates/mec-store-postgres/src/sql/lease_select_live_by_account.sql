SELECT lease_id, account_id, resource_type_code, resource_scope, slots, fencing_token, acquired_at, expires_at,
    last_heartbeat, released_at, session_token, session_metadata, ttl_seconds, decision
FROM concurrency_leases
WHERE namespace_id = $1 AND account_id = $2 AND released_at IS NULL AND expires_at > least($3, coalesce((
    SELECT t.last_at
    FROM accounts a
    JOIN trees t ON t.namespace_id = a.namespace_id AND t.tree_id = a.owner_account_id
    WHERE a.namespace_id = $1 AND a.account_id = $2
), $3))
ORDER BY lease_id
