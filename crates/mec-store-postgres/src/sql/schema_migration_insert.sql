INSERT INTO public.mec_schema_migrations (version) VALUES ($1)
