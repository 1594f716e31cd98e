INSERT INTO control_rule_conditions (namespace_id, rule_id, position, condition_key, condition_op, condition_value)
SELECT namespace_id, rule_id, position, condition_key, condition_op, condition_value
FROM json_populate_recordset(NULL::control_rule_conditions, $1::text::json)
