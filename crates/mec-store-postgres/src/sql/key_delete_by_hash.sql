DELETE FROM idempotency_keys k
USING unnest($1::text[], $2::bytea[]) AS d (namespace_id, key_hash)
WHERE k.namespace_id = d.namespace_id AND k.key_hash = d.key_hash
