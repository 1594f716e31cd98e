INSERT INTO window_types (window_type_code, description, mode, period_unit, period_count)
SELECT window_type_code, description, mode, period_unit, period_count
FROM json_populate_recordset(NULL::window_types, $1::text::json)
ON CONFLICT (window_type_code) DO UPDATE SET
    description = excluded.description, mode = excluded.mode, period_unit = excluded.period_unit, period_count = excluded.period_count
