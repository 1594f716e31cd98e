INSERT INTO grant_draws (namespace_id, event_id, grant_id, ordinal, whole, micros)
VALUES (?1, ?2, ?3,
    (SELECT coalesce(max(ordinal), 0) + 1 FROM grant_draws WHERE namespace_id = ?1 AND event_id = ?2), ?4, ?5)
ON CONFLICT (namespace_id, event_id, grant_id) DO UPDATE SET
    whole = whole + excluded.whole + (micros + excluded.micros) / 1000000,
    micros = (micros + excluded.micros) % 1000000
