SELECT counter_id, resource_scope FROM usage_counters
WHERE namespace_id = ?1 AND resource_type_code = ?2 AND level_id = ?3 AND drawn_for = ''
