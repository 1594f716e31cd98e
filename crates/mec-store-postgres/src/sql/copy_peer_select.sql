SELECT 1
FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'mec' AND pid <> pg_backend_pid()
LIMIT 1
