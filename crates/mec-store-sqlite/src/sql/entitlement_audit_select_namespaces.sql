WITH RECURSIVE found (namespace_id) AS (
    SELECT min(namespace_id) FROM entitlements_audit
    UNION ALL
    SELECT (SELECT min(l.namespace_id) FROM entitlements_audit l WHERE l.namespace_id > found.namespace_id)
    FROM found
    WHERE found.namespace_id IS NOT NULL
)
SELECT namespace_id FROM found WHERE namespace_id IS NOT NULL
