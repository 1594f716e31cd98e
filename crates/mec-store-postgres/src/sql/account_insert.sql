INSERT INTO accounts (namespace_id, account_id, account_type_code, parent_account_id, owner_account_id, has_had_children, external_id, display_name, email, timezone, metadata, status, created_at, updated_at)
SELECT namespace_id, account_id, account_type_code, parent_account_id, owner_account_id, has_had_children, external_id, display_name, email, timezone, metadata, status, created_at, updated_at
FROM json_populate_recordset(NULL::accounts, $1::text::json)
