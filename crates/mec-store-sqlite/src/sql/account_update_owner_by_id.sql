UPDATE accounts SET owner_account_id = ?3 WHERE namespace_id = ?1 AND account_id = ?2
