WITH RECURSIVE subtree (account_id) AS (
    SELECT $2::uuid
    UNION
    SELECT a.account_id
    FROM subtree s
    CROSS JOIN LATERAL (
        SELECT a.account_id FROM accounts a WHERE a.namespace_id = $1 AND a.parent_account_id = s.account_id OFFSET 0
    ) a
),
users (account_id) AS (
    SELECT account_id FROM subtree
    UNION
    SELECT account_id FROM former_descendants WHERE namespace_id = $1 AND level_id = $2
)
SELECT l.occurred_at, l.quantity::text, coalesce(u.base_factor, 1), d.detail_value
FROM users s
CROSS JOIN LATERAL (
    SELECT l.occurred_at, l.quantity, l.unit_code, coalesce(l.corrects_event_id, l.event_id) AS event_id
    FROM consumption_ledger l
    WHERE l.namespace_id = $1
        AND l.account_id = s.account_id
        AND l.resource_type_code = $3
        AND l.occurred_at >= $4
        AND l.occurred_at < $5
        AND (l.account_id = $2 OR $2 = ANY (l.recorded_under))
    OFFSET 0
) l
LEFT JOIN units u ON u.unit_code = l.unit_code
LEFT JOIN LATERAL (
    SELECT d.detail_value
    FROM consumption_event_details d
    WHERE d.namespace_id = $1 AND d.event_id = l.event_id AND d.detail_key = $6
    OFFSET 0
) d ON true
