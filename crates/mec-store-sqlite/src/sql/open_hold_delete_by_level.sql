DELETE FROM open_holds WHERE namespace_id = ?1 AND level_id = ?2 AND kind = ?3 AND hold_id = ?4
