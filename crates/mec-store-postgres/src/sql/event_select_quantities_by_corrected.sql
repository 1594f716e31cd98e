SELECT l.quantity::text, coalesce(u.base_factor, 1)
FROM consumption_ledger l
LEFT JOIN units u ON u.unit_code = l.unit_code
WHERE l.namespace_id = $1 AND l.corrects_event_id = $2
