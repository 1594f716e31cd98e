DELETE FROM entitlements_audit
WHERE (namespace_id, audit_id) IN (
    SELECT namespace_id, audit_id
    FROM entitlements_audit
    WHERE namespace_id = ?1 AND audit_id < ?2 AND changed_at < ?3
    ORDER BY audit_id
    LIMIT ?4
)
