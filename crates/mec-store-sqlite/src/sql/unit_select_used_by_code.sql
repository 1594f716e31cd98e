SELECT 1 WHERE EXISTS (SELECT 1 FROM units_in_use WHERE unit_code = ?1)
