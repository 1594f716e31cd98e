UPDATE accounts
SET account_type_code = ?3, external_id = ?4, display_name = ?5, email = ?6, timezone = ?7, metadata = ?8,
    status = ?9, updated_at = ?10
WHERE namespace_id = ?1 AND account_id = ?2
