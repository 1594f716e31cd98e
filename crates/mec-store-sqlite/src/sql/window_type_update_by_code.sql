UPDATE window_types SET description = ?2, mode = ?3, period_unit = ?4, period_count = ?5
WHERE window_type_code = ?1
