INSERT INTO open_holds (namespace_id, level_id, kind, hold_id, tree_id, resource_type_code, resource_scope, amount,
    created_at, expires_at, grants)
SELECT namespace_id, $3, kind, hold_id, tree_id, resource_type_code, resource_scope, amount, created_at, expires_at, '[]'
FROM open_holds
WHERE namespace_id = $1 AND level_id = $2
