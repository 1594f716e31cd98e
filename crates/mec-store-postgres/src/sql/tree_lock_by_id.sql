SELECT t.namespace_id, t.tree_id, t.chain_id, t.chain_seq, t.chain_hash, t.fencing_token, t.last_at, t.version
FROM unnest($1::text[], $2::uuid[]) AS w (namespace_id, tree_id)
JOIN trees t ON t.namespace_id = w.namespace_id AND t.tree_id = w.tree_id
ORDER BY t.namespace_id, t.tree_id
FOR UPDATE OF t
