INSERT INTO trees (namespace_id, tree_id, chain_id, chain_seq, chain_hash, fencing_token, last_at, version)
SELECT namespace_id, tree_id, chain_id, chain_seq, chain_hash, fencing_token, last_at, version
FROM json_populate_recordset(NULL::trees, $1::text::json)
