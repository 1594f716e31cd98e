SELECT window_type_code, description, mode, period_unit, period_count FROM window_types
