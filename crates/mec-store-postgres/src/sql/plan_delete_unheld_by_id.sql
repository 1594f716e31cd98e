DELETE FROM plans p
WHERE p.namespace_id = $1 AND p.plan_id = ANY ($2::text[])
    AND NOT EXISTS (SELECT FROM subscriptions s WHERE s.namespace_id = $1 AND s.plan_id = p.plan_id)
    AND NOT EXISTS (SELECT FROM entitlements e WHERE e.namespace_id = $1 AND e.plan_id = p.plan_id)
