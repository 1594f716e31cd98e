SELECT lease_id, account_id, resource_type_code, resource_scope, slots, fencing_token, acquired_at, expires_at,
    last_heartbeat, released_at, session_token, session_metadata, ttl_seconds, decision
FROM concurrency_leases
WHERE namespace_id = $1 AND account_id = $2 AND released_at IS NULL AND expires_at > $3
ORDER BY lease_id
