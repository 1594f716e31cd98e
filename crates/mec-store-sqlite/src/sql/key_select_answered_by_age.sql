SELECT rowid
FROM idempotency_keys
WHERE rowid > ?1 AND created_at < ?2
ORDER BY rowid
LIMIT ?3
