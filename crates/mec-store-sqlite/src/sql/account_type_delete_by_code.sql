DELETE FROM account_types WHERE account_type_code = ?1
