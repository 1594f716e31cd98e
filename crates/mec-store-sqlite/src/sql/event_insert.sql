INSERT INTO consumption_ledger (namespace_id, event_id, idempotency_key, account_id, resource_type_code,
    resource_scope, quantity, unit_code, occurred_at, period_start, period_end, is_correction,
    corrects_event_id, created_at, owner_account_id, recorded_under, chain_id, chain_seq, chain_hash)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12 IS NOT NULL, ?12, ?13, ?14, ?15, ?16, ?17, ?18)
