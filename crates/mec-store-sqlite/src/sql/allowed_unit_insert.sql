INSERT INTO resource_type_allowed_units (namespace_id, resource_type_code, unit_code, position) VALUES (?1, ?2, ?3, ?4)
