INSERT INTO grace_clocks (namespace_id, level_id, resource_type_code, limit_kind_code, window_type_code,
    resource_scope, since, window_start)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
ON CONFLICT (namespace_id, level_id, resource_type_code, limit_kind_code, window_type_code, resource_scope)
DO UPDATE SET since = excluded.since, window_start = excluded.window_start
