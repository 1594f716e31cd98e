INSERT INTO grace_clocks (namespace_id, level_id, resource_type_code, limit_kind_code, window_type_code, resource_scope, since, window_start)
SELECT namespace_id, level_id, resource_type_code, limit_kind_code, window_type_code, resource_scope, since, window_start
FROM json_populate_recordset(NULL::grace_clocks, $1::text::json)
ON CONFLICT (namespace_id, level_id, resource_type_code, limit_kind_code, window_type_code, resource_scope)
DO UPDATE SET since = excluded.since, window_start = excluded.window_start
