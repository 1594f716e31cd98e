SELECT has_had_children FROM accounts WHERE namespace_id = $1 AND account_id = $2
