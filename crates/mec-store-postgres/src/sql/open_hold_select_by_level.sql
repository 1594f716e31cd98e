SELECT kind, hold_id, resource_type_code, resource_scope, amount::text, created_at, expires_at, grants::text
FROM open_holds
WHERE namespace_id = $1 AND level_id = $2 AND expires_at > least($3, coalesce((
    SELECT t.last_at
    FROM accounts a
    JOIN trees t ON t.namespace_id = a.namespace_id AND t.tree_id = a.owner_account_id
    WHERE a.namespace_id = $1 AND a.account_id = $2
), $3))
