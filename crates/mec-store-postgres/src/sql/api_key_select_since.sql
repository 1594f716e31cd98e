SELECT key_id
FROM api_keys
WHERE xid >= pg_snapshot_xmax($1::text::pg_snapshot) OR xid = ANY (ARRAY(SELECT pg_snapshot_xip($1::text::pg_snapshot)))
LIMIT 1
