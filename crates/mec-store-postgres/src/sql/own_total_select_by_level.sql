SELECT amount::text FROM own_totals
WHERE namespace_id = $1 AND level_id = $2 AND resource_type_code = $3 AND resource_scope = $4
