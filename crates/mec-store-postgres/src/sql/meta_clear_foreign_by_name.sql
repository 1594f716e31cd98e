UPDATE store_meta SET value = 0
WHERE name = $1 AND value > pg_snapshot_xmax(pg_current_snapshot())::text::bigint
