INSERT INTO open_holds (namespace_id, level_id, kind, hold_id, tree_id, resource_type_code, resource_scope, amount, created_at, expires_at, grants)
SELECT namespace_id, level_id, kind, hold_id, tree_id, resource_type_code, resource_scope, amount, created_at, expires_at, grants
FROM json_populate_recordset(NULL::open_holds, $1::text::json)
ON CONFLICT (namespace_id, level_id, kind, hold_id) DO UPDATE SET
    tree_id = excluded.tree_id, amount = excluded.amount, expires_at = excluded.expires_at, grants = excluded.grants
