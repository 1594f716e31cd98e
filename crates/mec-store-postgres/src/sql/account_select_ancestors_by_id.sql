WITH RECURSIVE above (depth, account_id, parent_account_id) AS (
    SELECT 0, account_id, parent_account_id FROM accounts WHERE namespace_id = $1 AND account_id = $2
    UNION ALL
    SELECT above.depth + 1, a.account_id, a.parent_account_id
    FROM above
    JOIN accounts a ON a.namespace_id = $1 AND a.account_id = above.parent_account_id
    WHERE above.depth < 64
)
SELECT account_id FROM above ORDER BY depth
