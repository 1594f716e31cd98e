SELECT pg_snapshot_xmin(pg_current_snapshot())::text, clock_timestamp()
