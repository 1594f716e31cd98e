SELECT namespace_id, tree_id, chain_id, chain_seq, chain_hash FROM trees
