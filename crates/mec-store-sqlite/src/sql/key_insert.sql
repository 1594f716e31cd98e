INSERT INTO idempotency_keys (namespace_id, key_hash, "key", rpc, args_hash, event_id, answer, created_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
