UPDATE reservations SET grant_holds = ?3 WHERE namespace_id = ?1 AND reservation_id = ?2
