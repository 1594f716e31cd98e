INSERT INTO catalogue_versions (namespace_id, version) VALUES ($1, 1)
ON CONFLICT (namespace_id) DO UPDATE SET version = catalogue_versions.version + 1, xid = pg_current_xact_id()
