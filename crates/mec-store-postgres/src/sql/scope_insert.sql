INSERT INTO tree_scopes (namespace_id, tree_id, resource_type_code, resource_scope)
SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[])
ON CONFLICT DO NOTHING
