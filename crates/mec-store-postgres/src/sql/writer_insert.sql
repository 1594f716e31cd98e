INSERT INTO writers (writer_id, last_batch_id) VALUES ($1, $2)
ON CONFLICT (writer_id) DO NOTHING
