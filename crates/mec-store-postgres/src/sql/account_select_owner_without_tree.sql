SELECT a.namespace_id, a.account_id
FROM accounts a
WHERE a.parent_account_id IS NULL
    AND NOT EXISTS (SELECT FROM trees t WHERE t.namespace_id = a.namespace_id AND t.tree_id = a.account_id)
LIMIT 1
