SELECT account_id
FROM account_external_ids
WHERE namespace_id = ?1 AND external_id = ?2 AND provider = ?3
