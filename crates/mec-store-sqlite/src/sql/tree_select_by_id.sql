SELECT tree_id, chain_id, chain_seq, chain_hash, fencing_token, last_at, version
FROM trees
WHERE namespace_id = ?1 AND tree_id = ?2
