INSERT INTO control_decisions_log (namespace_id, decision_id, account_id, resource_type_code, resource_scope,
    requested_quantity, unit_code, decision, code, reason, rule_id, entitlement_id, usage_at_decision,
    limit_at_decision, percent_used, request_id, decided_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)
