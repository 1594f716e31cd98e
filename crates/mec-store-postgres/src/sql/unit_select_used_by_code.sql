SELECT unit_code FROM units_in_use WHERE unit_code = $1 LIMIT 1
