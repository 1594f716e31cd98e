INSERT INTO units (unit_code, unit_category, description, scale, base_unit_code, base_factor)
SELECT unit_code, unit_category, description, scale, base_unit_code, base_factor
FROM json_populate_recordset(NULL::units, $1::text::json)
ON CONFLICT (unit_code) DO UPDATE SET
    unit_category = excluded.unit_category, description = excluded.description, scale = excluded.scale, base_unit_code = excluded.base_unit_code, base_factor = excluded.base_factor
