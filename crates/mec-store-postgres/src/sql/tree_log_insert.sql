INSERT INTO tree_log (namespace_id, tree_id, version, writer_id)
SELECT t.namespace_id, t.tree_id, t.version, $4::uuid
FROM unnest($1::text[], $2::uuid[], $3::bigint[]) AS t (namespace_id, tree_id, version)
