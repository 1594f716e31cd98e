INSERT INTO window_types (window_type_code, description, mode, period_unit, period_count) VALUES (?1, ?2, ?3, ?4, ?5)
