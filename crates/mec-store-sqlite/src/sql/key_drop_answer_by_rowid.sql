UPDATE idempotency_keys SET answer = NULL WHERE rowid = ?1 AND answer IS NOT NULL
