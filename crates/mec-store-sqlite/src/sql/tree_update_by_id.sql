UPDATE trees
SET chain_id = ?3, chain_seq = ?4, chain_hash = ?5, fencing_token = ?6, last_at = ?7, version = ?8
WHERE namespace_id = ?1 AND tree_id = ?2
