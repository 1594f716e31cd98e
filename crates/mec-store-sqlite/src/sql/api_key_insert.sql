INSERT INTO api_keys (namespace_id, key_id, key_name, role, account_id, secret_hash, created_by, created_at, expires_at, revoked_at, last_used_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
