INSERT INTO idempotency_keys (namespace_id, key_hash, key, rpc, args_hash, event_id, answer, created_at)
SELECT * FROM unnest($1::text[], $2::bytea[], $3::text[], $4::text[], $5::bytea[], $6::uuid[], $7::text[], $8::timestamptz[])
