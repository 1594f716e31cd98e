SELECT rpc, args_hash, event_id, answer FROM idempotency_keys WHERE namespace_id = ?1 AND key_hash = ?2
