INSERT INTO own_totals (namespace_id, level_id, resource_type_code, resource_scope, whole, micros)
VALUES (?1, ?2, ?3, ?4, ?5, ?6)
ON CONFLICT (namespace_id, level_id, resource_type_code, resource_scope) DO UPDATE SET
    whole = whole + excluded.whole + (micros + excluded.micros) / 1000000,
    micros = (micros + excluded.micros) % 1000000
