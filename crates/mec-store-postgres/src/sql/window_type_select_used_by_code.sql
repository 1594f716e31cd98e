SELECT window_type_code FROM window_types_in_use WHERE window_type_code = $1 LIMIT 1
