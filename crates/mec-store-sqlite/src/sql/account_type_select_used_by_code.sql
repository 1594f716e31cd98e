SELECT 1 WHERE EXISTS (SELECT 1 FROM accounts WHERE account_type_code = ?1)
