INSERT INTO concurrency_leases (namespace_id, lease_id, account_id, resource_type_code, resource_scope, slots, fencing_token, acquired_at, expires_at, last_heartbeat, released_at, session_token, session_metadata, ttl_seconds, decision, created_at)
SELECT namespace_id, lease_id, account_id, resource_type_code, resource_scope, slots, fencing_token, acquired_at, expires_at, last_heartbeat, released_at, session_token, session_metadata, ttl_seconds, decision, created_at
FROM json_populate_recordset(NULL::concurrency_leases, $1::text::json)
ON CONFLICT (namespace_id, lease_id) DO UPDATE SET
    account_id = excluded.account_id, slots = excluded.slots, fencing_token = excluded.fencing_token,
    expires_at = excluded.expires_at, last_heartbeat = excluded.last_heartbeat, released_at = excluded.released_at,
    session_metadata = excluded.session_metadata
