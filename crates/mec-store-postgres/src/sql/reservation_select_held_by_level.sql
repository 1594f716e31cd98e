SELECT r.reservation_id, r.grant_holds::text
FROM open_holds h
JOIN reservations r ON r.namespace_id = h.namespace_id AND r.reservation_id = h.hold_id
WHERE h.namespace_id = $1 AND h.level_id = $2 AND h.kind = 1
