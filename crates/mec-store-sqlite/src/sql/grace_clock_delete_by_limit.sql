DELETE FROM grace_clocks
WHERE namespace_id = ?1 AND level_id = ?2 AND resource_type_code = ?3 AND limit_kind_code = ?4
    AND window_type_code = ?5 AND resource_scope = ?6
