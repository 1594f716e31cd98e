DELETE FROM open_holds h
USING unnest($1::text[], $2::uuid[], $3::bigint[], $4::uuid[]) AS d (namespace_id, level_id, kind, hold_id)
WHERE h.namespace_id = d.namespace_id AND h.level_id = d.level_id AND h.kind = d.kind AND h.hold_id = d.hold_id
