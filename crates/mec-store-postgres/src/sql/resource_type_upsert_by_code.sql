INSERT INTO resource_types (namespace_id, resource_type_code, description, default_unit_code, is_inventory, is_concurrency, is_time_bound)
SELECT namespace_id, resource_type_code, description, default_unit_code, is_inventory, is_concurrency, is_time_bound
FROM json_populate_recordset(NULL::resource_types, $1::text::json)
ON CONFLICT (namespace_id, resource_type_code) DO UPDATE SET
    description = excluded.description, default_unit_code = excluded.default_unit_code, is_inventory = excluded.is_inventory, is_concurrency = excluded.is_concurrency, is_time_bound = excluded.is_time_bound
