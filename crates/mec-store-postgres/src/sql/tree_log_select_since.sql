SELECT namespace_id, tree_id, max(version)
FROM tree_log
WHERE (xid >= pg_snapshot_xmax($1::text::pg_snapshot) OR xid = ANY (ARRAY(SELECT pg_snapshot_xip($1::text::pg_snapshot))))
    AND writer_id <> ALL ($2::uuid[])
GROUP BY namespace_id, tree_id
