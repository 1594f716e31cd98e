SELECT condition_key, condition_op, condition_value
FROM entitlement_conditions
WHERE namespace_id = ?1 AND entitlement_id = ?2
ORDER BY position
