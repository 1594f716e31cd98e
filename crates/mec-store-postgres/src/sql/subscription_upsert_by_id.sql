INSERT INTO subscriptions (namespace_id, subscription_id, account_id, plan_id, external_id, status, quantity, current_period_start, current_period_end, cancel_at, created_at, updated_at)
SELECT namespace_id, subscription_id, account_id, plan_id, external_id, status, quantity, current_period_start, current_period_end, cancel_at, created_at, updated_at
FROM json_populate_recordset(NULL::subscriptions, $1::text::json)
ON CONFLICT (namespace_id, subscription_id) DO UPDATE SET
    account_id = excluded.account_id, plan_id = excluded.plan_id, external_id = excluded.external_id, status = excluded.status, quantity = excluded.quantity, current_period_start = excluded.current_period_start, current_period_end = excluded.current_period_end, cancel_at = excluded.cancel_at, updated_at = excluded.updated_at
