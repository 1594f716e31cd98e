UPDATE grants SET remaining_whole = ?3, remaining_micros = ?4 WHERE namespace_id = ?1 AND grant_id = ?2
