SELECT l.quantity::text, coalesce(u.base_factor, 1)
FROM consumption_ledger l
LEFT JOIN units u ON u.unit_code = l.unit_code
WHERE l.namespace_id = $1 AND l.account_id = $2 AND l.resource_type_code = $3
    AND l.occurred_at >= $4 AND l.occurred_at < $5
    AND ($6::text IS NULL OR l.resource_scope = $6)
