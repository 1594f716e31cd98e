WITH begun AS (
    UPDATE store_meta SET value = $2 WHERE name = $1 AND value < $2
)
DELETE FROM tree_log
WHERE ctid = ANY (ARRAY(SELECT ctid FROM tree_log WHERE xid < $2::bigint::text::xid8 ORDER BY xid LIMIT 5000))
