UPDATE accounts SET owner_account_id = $3 WHERE namespace_id = $1 AND account_id = ANY ($2::uuid[])
