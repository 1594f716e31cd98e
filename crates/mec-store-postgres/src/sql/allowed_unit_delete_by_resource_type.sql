DELETE FROM resource_type_allowed_units WHERE namespace_id = $1 AND resource_type_code = ANY ($2::text[])
