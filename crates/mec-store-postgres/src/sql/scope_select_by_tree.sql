SELECT resource_scope FROM tree_scopes WHERE namespace_id = $1 AND tree_id = $2 AND resource_type_code = $3
