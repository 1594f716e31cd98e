DELETE FROM account_types WHERE account_type_code = ANY ($1::text[])
