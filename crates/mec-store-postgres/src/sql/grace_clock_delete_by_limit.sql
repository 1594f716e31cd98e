DELETE FROM grace_clocks g
USING unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[])
    AS d (namespace_id, level_id, resource_type_code, limit_kind_code, window_type_code, resource_scope)
WHERE g.namespace_id = d.namespace_id AND g.level_id = d.level_id AND g.resource_type_code = d.resource_type_code
    AND g.limit_kind_code = d.limit_kind_code AND g.window_type_code = d.window_type_code
    AND g.resource_scope = d.resource_scope
