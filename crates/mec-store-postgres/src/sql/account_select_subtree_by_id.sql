WITH RECURSIVE below (depth, account_id) AS (
    SELECT 0, account_id FROM accounts WHERE namespace_id = $1 AND account_id = $2
    UNION ALL
    SELECT below.depth + 1, a.account_id
    FROM below
    JOIN accounts a ON a.namespace_id = $1 AND a.parent_account_id = below.account_id
    WHERE below.depth < 64
)
SELECT account_id FROM below
