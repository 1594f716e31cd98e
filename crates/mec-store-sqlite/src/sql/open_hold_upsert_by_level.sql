INSERT INTO open_holds (namespace_id, level_id, kind, hold_id, tree_id, resource_type_code, resource_scope, whole,
    micros, created_at, expires_at, grants)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
ON CONFLICT (namespace_id, level_id, kind, hold_id) DO UPDATE SET
    tree_id = excluded.tree_id, whole = excluded.whole, micros = excluded.micros, expires_at = excluded.expires_at,
    grants = excluded.grants
