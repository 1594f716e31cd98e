SELECT c.entitlement_id, c.condition_key, c.condition_op, c.condition_value
FROM entitlements e
JOIN entitlement_conditions c ON c.namespace_id = e.namespace_id AND c.entitlement_id = e.entitlement_id
WHERE e.namespace_id = $1 AND e.account_id = $2
    AND (e.status <> 'superseded' OR e.usage_from <> date_trunc('minute', e.usage_from, 'UTC'))
ORDER BY c.entitlement_id, c.position
