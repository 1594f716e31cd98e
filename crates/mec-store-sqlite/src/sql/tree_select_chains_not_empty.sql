SELECT namespace_id, chain_id
FROM trees
WHERE chain_seq > 0
