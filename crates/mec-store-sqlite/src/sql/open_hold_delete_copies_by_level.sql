DELETE FROM open_holds
WHERE namespace_id = ?1 AND level_id = ?3
    AND (kind, hold_id) IN (SELECT kind, hold_id FROM open_holds WHERE namespace_id = ?1 AND level_id = ?2)
