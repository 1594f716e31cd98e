INSERT INTO idempotency_keys (namespace_id, key_hash, key, rpc, args_hash, created_at)
SELECT k.namespace_id, k.key_hash, '', '', '', clock_timestamp()
FROM unnest($1::text[], $2::bytea[]) AS k (namespace_id, key_hash)
ORDER BY k.namespace_id, k.key_hash
ON CONFLICT DO NOTHING
RETURNING namespace_id, key_hash
