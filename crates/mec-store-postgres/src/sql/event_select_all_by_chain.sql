SELECT l.namespace_id, l.event_id, l.idempotency_key, l.account_id, l.resource_type_code, l.resource_scope,
    l.quantity::text, l.unit_code, l.occurred_at, l.period_start, l.period_end, l.corrects_event_id, l.created_at,
    l.owner_account_id, l.recorded_under, l.chain_id, l.chain_seq, l.chain_hash, coalesce(u.base_factor, 1),
    coalesce((
        SELECT jsonb_object_agg(d.detail_key, d.detail_value)::text
        FROM consumption_event_details d
        WHERE d.namespace_id = l.namespace_id AND d.event_id = l.event_id
    ), '{}')
FROM consumption_ledger l
LEFT JOIN units u ON u.unit_code = l.unit_code
ORDER BY l.namespace_id, l.chain_id, l.chain_seq
