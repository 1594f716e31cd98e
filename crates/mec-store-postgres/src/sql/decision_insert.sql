INSERT INTO control_decisions_log (namespace_id, decision_id, account_id, resource_type_code, resource_scope, requested_quantity, unit_code, decision, code, reason, rule_id, entitlement_id, usage_at_decision, limit_at_decision, percent_used, request_id, decided_at)
SELECT namespace_id, decision_id, account_id, resource_type_code, resource_scope, requested_quantity, unit_code, decision, code, reason, rule_id, entitlement_id, usage_at_decision, limit_at_decision, percent_used, request_id, decided_at
FROM json_populate_recordset(NULL::control_decisions_log, $1::text::json)
