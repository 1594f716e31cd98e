WITH changed AS (
    SELECT * FROM json_populate_recordset(NULL::trees, $1::text::json)
), updated AS (
    UPDATE trees t
    SET chain_id = c.chain_id, chain_seq = c.chain_seq, chain_hash = c.chain_hash, fencing_token = c.fencing_token,
        last_at = c.last_at, version = c.version
    FROM changed c
    WHERE t.namespace_id = c.namespace_id AND t.tree_id = c.tree_id
    RETURNING 1
)
SELECT must_be((SELECT count(*) FROM updated), (SELECT count(*) FROM changed), 'a tree does not exist')
