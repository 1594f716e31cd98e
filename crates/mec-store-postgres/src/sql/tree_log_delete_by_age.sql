DELETE FROM tree_log WHERE ctid = ANY (ARRAY(SELECT ctid FROM tree_log WHERE written_at < now() - interval '10 minutes' LIMIT 5000))
