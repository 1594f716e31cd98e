INSERT INTO entitlements_audit (namespace_id, audit_id, entitlement_id, operation, old_values, new_values, changed_by, changed_at)
SELECT namespace_id, audit_id, entitlement_id, operation, old_values, new_values, changed_by, changed_at
FROM json_populate_recordset(NULL::entitlements_audit, $1::text::json)
