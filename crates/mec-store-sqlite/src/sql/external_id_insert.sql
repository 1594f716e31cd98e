INSERT INTO account_external_ids (namespace_id, external_id, provider, account_id)
VALUES (?1, ?2, ?3, ?4)
