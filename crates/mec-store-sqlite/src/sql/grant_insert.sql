INSERT INTO grants (namespace_id, grant_id, account_id, resource_type_code, resource_scope, window_type_code,
    quantity, unit_code, remaining_whole, remaining_micros, priority, expires_at, reason, voided_at, created_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)
