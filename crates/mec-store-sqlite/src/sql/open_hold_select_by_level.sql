SELECT kind, hold_id, resource_type_code, resource_scope, whole, micros, created_at, expires_at, grants
FROM open_holds
WHERE namespace_id = ?1 AND level_id = ?2 AND expires_at > ?3
