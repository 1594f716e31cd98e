SELECT to_regclass('public.mec_schema_migrations') IS NOT NULL
