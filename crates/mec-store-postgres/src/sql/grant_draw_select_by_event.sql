SELECT d.grant_id, g.account_id, g.window_type_code, g.expires_at, d.amount::text
FROM grant_draws d
JOIN grants g ON g.namespace_id = d.namespace_id AND g.grant_id = d.grant_id
WHERE d.namespace_id = $1 AND d.event_id = $2 AND d.amount > 0
ORDER BY d.ordinal
