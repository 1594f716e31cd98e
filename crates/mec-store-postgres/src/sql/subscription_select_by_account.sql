SELECT subscription_id, account_id, plan_id, external_id, status, quantity, current_period_start, current_period_end,
    cancel_at, created_at, updated_at
FROM subscriptions
WHERE namespace_id = $1 AND account_id = $2 AND status <> 'canceled'
ORDER BY subscription_id
