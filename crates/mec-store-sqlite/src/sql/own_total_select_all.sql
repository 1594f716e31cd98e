SELECT namespace_id, level_id, resource_type_code, resource_scope, whole, micros FROM own_totals
