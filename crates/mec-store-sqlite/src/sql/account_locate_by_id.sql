SELECT account_id, owner_account_id FROM accounts WHERE namespace_id = ?1 AND account_id = ?2
