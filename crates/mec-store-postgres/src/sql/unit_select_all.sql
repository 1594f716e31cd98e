SELECT unit_code, unit_category, description, scale, base_unit_code, base_factor FROM units
