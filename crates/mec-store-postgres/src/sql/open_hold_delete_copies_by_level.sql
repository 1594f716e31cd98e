DELETE FROM open_holds h
USING open_holds o
WHERE h.namespace_id = $1 AND h.level_id = $3 AND o.namespace_id = $1 AND o.level_id = $2
    AND o.kind = h.kind AND o.hold_id = h.hold_id
