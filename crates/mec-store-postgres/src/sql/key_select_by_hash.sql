SELECT k.namespace_id, k.key_hash, k.rpc, k.args_hash, k.event_id, k.answer
FROM unnest($1::text[], $2::bytea[]) AS w (namespace_id, key_hash)
JOIN idempotency_keys k USING (namespace_id, key_hash)
