SELECT rule_id, condition_key, condition_op, condition_value FROM control_rule_conditions
WHERE namespace_id = $1
ORDER BY rule_id, position
