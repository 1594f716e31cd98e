WITH RECURSIVE subtree (account_id) AS (
    SELECT $2::uuid
    UNION
    SELECT a.account_id
    FROM subtree s
    JOIN accounts a ON a.namespace_id = $1 AND a.parent_account_id = s.account_id
),
users (account_id) AS (
    SELECT account_id FROM subtree
    UNION
    SELECT account_id FROM former_descendants WHERE namespace_id = $1 AND level_id = $2
)
SELECT l.occurred_at, l.quantity::text, coalesce(u.base_factor, 1), d.detail_value
FROM users s
JOIN consumption_ledger l ON l.namespace_id = $1 AND l.account_id = s.account_id AND l.resource_type_code = $3
    AND l.occurred_at >= $4 AND l.occurred_at < $5
LEFT JOIN units u ON u.unit_code = l.unit_code
LEFT JOIN consumption_event_details d
    ON d.namespace_id = $1 AND d.event_id = coalesce(l.corrects_event_id, l.event_id) AND d.detail_key = $6
WHERE l.account_id = $2 OR $2 = ANY (l.recorded_under)
