SELECT d.namespace_id, g.account_id, l.resource_type_code, l.resource_scope, g.window_type_code, l.occurred_at,
    d.amount::text
FROM grant_draws d
JOIN grants g ON g.namespace_id = d.namespace_id AND g.grant_id = d.grant_id
JOIN consumption_ledger l ON l.namespace_id = d.namespace_id AND l.event_id = d.event_id
