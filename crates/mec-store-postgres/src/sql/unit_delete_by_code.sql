DELETE FROM units WHERE unit_code = ANY ($1::text[])
