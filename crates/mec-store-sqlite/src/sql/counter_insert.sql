INSERT INTO usage_counters (namespace_id, resource_type_code, level_id, drawn_for, resource_scope)
VALUES (?1, ?2, ?3, ?4, ?5)
