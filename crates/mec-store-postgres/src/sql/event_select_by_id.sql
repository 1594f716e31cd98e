SELECT l.namespace_id, l.event_id, l.idempotency_key, l.account_id, l.resource_type_code, l.resource_scope,
    l.quantity::text, l.unit_code, l.occurred_at, l.period_start, l.period_end, l.corrects_event_id, l.created_at,
    l.owner_account_id, l.recorded_under, l.chain_id, l.chain_seq, l.chain_hash, coalesce(u.base_factor, 1)
FROM consumption_ledger l
LEFT JOIN units u ON u.unit_code = l.unit_code
WHERE l.namespace_id = $1 AND l.event_id = $2
