SELECT namespace_id, tree_id, max(version)
FROM tree_log
WHERE xid >= $1::text::xid8 AND writer_id <> ALL ($2::uuid[])
GROUP BY namespace_id, tree_id
