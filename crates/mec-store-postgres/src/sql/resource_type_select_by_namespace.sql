SELECT resource_type_code, description, default_unit_code, is_inventory, is_concurrency, is_time_bound
FROM resource_types
WHERE namespace_id = $1
