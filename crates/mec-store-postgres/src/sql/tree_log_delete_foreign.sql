DELETE FROM tree_log WHERE xid >= pg_snapshot_xmax(pg_current_snapshot())
