SELECT chain_seq, chain_hash
FROM trees
WHERE namespace_id = ?1 AND chain_id = ?2
