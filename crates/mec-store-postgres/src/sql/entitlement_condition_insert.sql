INSERT INTO entitlement_conditions (namespace_id, entitlement_id, position, condition_key, condition_op, condition_value)
SELECT namespace_id, entitlement_id, position, condition_key, condition_op, condition_value
FROM json_populate_recordset(NULL::entitlement_conditions, $1::text::json)
