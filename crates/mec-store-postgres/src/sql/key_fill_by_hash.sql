UPDATE idempotency_keys k
SET key = f.key, rpc = f.rpc, args_hash = f.args_hash, event_id = f.event_id, answer = f.answer, created_at = f.created_at
FROM unnest($1::text[], $2::bytea[], $3::text[], $4::text[], $5::bytea[], $6::uuid[], $7::text[], $8::timestamptz[])
    AS f (namespace_id, key_hash, key, rpc, args_hash, event_id, answer, created_at)
WHERE k.namespace_id = f.namespace_id AND k.key_hash = f.key_hash
