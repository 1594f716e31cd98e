DELETE FROM control_decisions_log
WHERE (namespace_id, decision_id) IN (
    SELECT namespace_id, decision_id
    FROM control_decisions_log
    WHERE namespace_id = ?1 AND decision_id < ?2 AND decided_at < ?3
    ORDER BY decision_id
    LIMIT ?4
)
