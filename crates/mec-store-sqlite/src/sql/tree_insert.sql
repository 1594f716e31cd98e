INSERT INTO trees (namespace_id, tree_id, chain_id, chain_seq, chain_hash, fencing_token, last_at, version)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
