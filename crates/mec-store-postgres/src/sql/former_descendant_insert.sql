INSERT INTO former_descendants (namespace_id, level_id, account_id)
SELECT $1, $2, below FROM unnest($3::uuid[]) AS below
ON CONFLICT DO NOTHING
