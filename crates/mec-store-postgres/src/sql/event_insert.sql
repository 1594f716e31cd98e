INSERT INTO consumption_ledger (namespace_id, event_id, idempotency_key, account_id, resource_type_code,
    resource_scope, quantity, unit_code, occurred_at, period_start, period_end, is_correction, corrects_event_id,
    created_at, owner_account_id, recorded_under, chain_id, chain_seq, chain_hash)
SELECT namespace_id, event_id, idempotency_key, account_id, resource_type_code, resource_scope, quantity::numeric,
    unit_code, occurred_at, period_start, period_end, corrects_event_id IS NOT NULL, corrects_event_id, created_at,
    owner_account_id, recorded_under::uuid[], chain_id, chain_seq, chain_hash
FROM unnest($1::text[], $2::uuid[], $3::text[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::timestamptz[], $10::timestamptz[], $11::timestamptz[], $12::uuid[], $13::timestamptz[], $14::uuid[],
    $15::text[], $16::uuid[], $17::bigint[], $18::bytea[])
    AS e (namespace_id, event_id, idempotency_key, account_id, resource_type_code, resource_scope, quantity,
        unit_code, occurred_at, period_start, period_end, corrects_event_id, created_at, owner_account_id,
        recorded_under, chain_id, chain_seq, chain_hash)
