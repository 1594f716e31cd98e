INSERT INTO former_descendants (namespace_id, level_id, account_id)
VALUES (?1, ?2, ?3)
ON CONFLICT DO NOTHING
