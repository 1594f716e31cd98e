INSERT INTO tree_scopes (namespace_id, tree_id, resource_type_code, resource_scope) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT DO NOTHING
