SELECT 1 WHERE EXISTS (SELECT 1 FROM window_types_in_use WHERE window_type_code = ?1)
