SELECT namespace_id, key_id, key_name, role, account_id, secret_hash, created_by, created_at, expires_at, revoked_at, last_used_at
FROM api_keys
WHERE namespace_id = ?1
    AND revoked_at IS NULL
ORDER BY created_at DESC, key_id DESC
LIMIT ?2
