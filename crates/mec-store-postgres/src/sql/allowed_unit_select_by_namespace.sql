SELECT resource_type_code, unit_code FROM resource_type_allowed_units
WHERE namespace_id = $1
ORDER BY resource_type_code, position
