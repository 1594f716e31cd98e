SELECT account_type_code FROM account_types_in_use WHERE account_type_code = $1 LIMIT 1
