WITH updated AS (
    UPDATE grants g SET remaining = r.remaining::numeric
    FROM unnest($1::text[], $2::uuid[], $3::text[]) AS r (namespace_id, grant_id, remaining)
    WHERE g.namespace_id = r.namespace_id AND g.grant_id = r.grant_id
    RETURNING 1
)
SELECT must_be((SELECT count(*) FROM updated), cardinality($2::uuid[]), 'a grant does not exist')
