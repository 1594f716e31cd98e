SELECT plan_id
FROM plans
WHERE namespace_id = ?1 AND plan_id = ?2
    AND (
        EXISTS (SELECT 1 FROM subscriptions WHERE namespace_id = ?1 AND plan_id = ?2)
        OR EXISTS (SELECT 1 FROM entitlements WHERE namespace_id = ?1 AND plan_id = ?2)
    )
