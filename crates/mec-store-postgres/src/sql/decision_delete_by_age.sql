DELETE FROM control_decisions_log
WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM control_decisions_log WHERE decided_at < $1 LIMIT $2
))
