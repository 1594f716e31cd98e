DELETE FROM open_holds h
USING unnest($1::text[], $2::uuid[], $3::timestamptz[], $4::bigint[]) AS t (namespace_id, tree_id, last_at, most)
CROSS JOIN LATERAL (
    SELECT o.level_id, o.kind, o.hold_id
    FROM open_holds o
    WHERE o.namespace_id = t.namespace_id AND o.tree_id = t.tree_id AND o.expires_at <= t.last_at
    ORDER BY o.expires_at
    LIMIT t.most
) d
WHERE h.namespace_id = t.namespace_id AND h.level_id = d.level_id AND h.kind = d.kind AND h.hold_id = d.hold_id
