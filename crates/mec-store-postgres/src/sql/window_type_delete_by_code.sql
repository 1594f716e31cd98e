DELETE FROM window_types WHERE window_type_code = ANY ($1::text[])
