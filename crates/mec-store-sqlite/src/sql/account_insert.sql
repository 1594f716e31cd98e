INSERT INTO accounts (namespace_id, account_id, account_type_code, parent_account_id, owner_account_id,
    external_id, display_name, email, timezone, metadata, status, created_at, updated_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
