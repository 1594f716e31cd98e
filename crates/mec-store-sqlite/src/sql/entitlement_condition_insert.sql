INSERT INTO entitlement_conditions (namespace_id, entitlement_id, position, condition_key, condition_op, condition_value)
VALUES (?1, ?2, ?3, ?4, ?5, ?6)
