SELECT account_id, account_type_code, parent_account_id, external_id, display_name, email, timezone, metadata::text,
    status, created_at, updated_at, owner_account_id
FROM accounts
WHERE namespace_id = $1 AND account_id = $2
