SELECT resource_type_code, limit_kind_code, window_type_code, resource_scope, since, window_start
FROM grace_clocks
WHERE namespace_id = $1 AND level_id = $2
