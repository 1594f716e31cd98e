DELETE FROM window_types WHERE window_type_code = ?1
