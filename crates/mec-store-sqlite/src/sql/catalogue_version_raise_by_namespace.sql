INSERT INTO catalogue_versions (namespace_id, version) VALUES (?1, 1)
ON CONFLICT (namespace_id) DO UPDATE SET version = version + 1
