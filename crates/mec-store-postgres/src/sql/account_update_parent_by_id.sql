UPDATE accounts SET parent_account_id = $3, updated_at = $4 WHERE namespace_id = $1 AND account_id = $2
