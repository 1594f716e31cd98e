INSERT INTO account_types (account_type_code, description, can_have_children) VALUES (?1, ?2, ?3)
