WITH updated AS (
    UPDATE trees t
    SET chain_id = c.chain_id, chain_seq = c.chain_seq, chain_hash = c.chain_hash, fencing_token = c.fencing_token,
        last_at = c.last_at, version = c.version
    FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::bigint[], $5::bytea[], $6::bigint[], $7::timestamptz[], $8::bigint[])
        AS c (namespace_id, tree_id, chain_id, chain_seq, chain_hash, fencing_token, last_at, version)
    WHERE t.namespace_id = c.namespace_id AND t.tree_id = c.tree_id
    RETURNING 1
)
SELECT must_be((SELECT count(*) FROM updated), cardinality($2), 'a tree does not exist')
