DELETE FROM plans
WHERE namespace_id = ?1 AND plan_id = ?2
    AND NOT EXISTS (SELECT 1 FROM subscriptions WHERE namespace_id = ?1 AND plan_id = ?2)
    AND NOT EXISTS (SELECT 1 FROM entitlements WHERE namespace_id = ?1 AND plan_id = ?2)
