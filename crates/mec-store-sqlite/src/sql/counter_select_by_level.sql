SELECT counter_id FROM usage_counters
WHERE namespace_id = ?1 AND resource_type_code = ?2 AND level_id = ?3 AND drawn_for = ?4 AND resource_scope = ?5
