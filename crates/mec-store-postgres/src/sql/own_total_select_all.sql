SELECT namespace_id, level_id, resource_type_code, resource_scope, amount::text FROM own_totals
