UPDATE grants
SET resource_type_code = ?4, resource_scope = ?5, window_type_code = ?6, quantity = ?7,
    unit_code = ?8, remaining_whole = ?9, remaining_micros = ?10, priority = ?11, expires_at = ?12, reason = ?13,
    voided_at = ?14, created_at = ?15
WHERE namespace_id = ?1 AND grant_id = ?2 AND account_id = ?3
