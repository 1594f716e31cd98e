UPDATE accounts SET has_had_children = 1
WHERE namespace_id = ?1 AND account_id = ?2 AND has_had_children = 0
