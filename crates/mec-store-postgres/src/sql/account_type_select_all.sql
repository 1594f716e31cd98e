SELECT account_type_code, description, can_have_children FROM account_types
