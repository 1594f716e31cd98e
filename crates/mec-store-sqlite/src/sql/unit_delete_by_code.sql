DELETE FROM units WHERE unit_code = ?1
