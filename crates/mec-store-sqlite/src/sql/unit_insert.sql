INSERT INTO units (unit_code, unit_category, description, scale, base_unit_code, base_factor)
VALUES (?1, ?2, ?3, ?4, ?5, ?6)
