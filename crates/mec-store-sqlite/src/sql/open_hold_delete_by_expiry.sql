DELETE FROM open_holds
WHERE (namespace_id, level_id, kind, hold_id) IN (
    SELECT namespace_id, level_id, kind, hold_id
    FROM open_holds
    WHERE namespace_id = ?1 AND tree_id = ?2 AND expires_at <= ?3
    ORDER BY expires_at
    LIMIT ?4
)
