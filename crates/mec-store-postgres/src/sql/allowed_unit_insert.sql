INSERT INTO resource_type_allowed_units (namespace_id, resource_type_code, unit_code, position)
SELECT namespace_id, resource_type_code, unit_code, position
FROM json_populate_recordset(NULL::resource_type_allowed_units, $1::text::json)
