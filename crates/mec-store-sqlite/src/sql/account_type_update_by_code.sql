UPDATE account_types SET description = ?2, can_have_children = ?3
WHERE account_type_code = ?1
