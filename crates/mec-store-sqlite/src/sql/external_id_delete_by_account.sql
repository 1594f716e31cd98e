DELETE FROM account_external_ids
WHERE namespace_id = ?1 AND external_id = ?2 AND provider = ?3 AND account_id = ?4
