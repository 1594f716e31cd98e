INSERT INTO control_rule_conditions (namespace_id, rule_id, position, condition_key, condition_op, condition_value)
VALUES (?1, ?2, ?3, ?4, ?5, ?6)
