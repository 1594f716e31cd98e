SELECT coalesce(max(version), 0) FROM public.mec_schema_migrations
