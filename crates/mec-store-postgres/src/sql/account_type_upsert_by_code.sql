INSERT INTO account_types (account_type_code, description, can_have_children)
SELECT account_type_code, description, can_have_children
FROM json_populate_recordset(NULL::account_types, $1::text::json)
ON CONFLICT (account_type_code) DO UPDATE SET
    description = excluded.description, can_have_children = excluded.can_have_children
