DELETE FROM entitlements_audit
WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM entitlements_audit WHERE changed_at < $1 LIMIT $2
))
