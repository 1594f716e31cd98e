SELECT kind, hold_id, resource_type_code, resource_scope, amount::text, created_at, expires_at, grants::text
FROM open_holds
WHERE namespace_id = $1 AND level_id = $2 AND expires_at > $3
