INSERT INTO entitlements_audit (namespace_id, audit_id, entitlement_id, operation, old_values, new_values, changed_by, changed_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
