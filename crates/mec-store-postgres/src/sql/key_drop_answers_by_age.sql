UPDATE idempotency_keys SET answer = NULL
WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM idempotency_keys WHERE created_at < $1 AND answer IS NOT NULL ORDER BY created_at LIMIT $2
))
