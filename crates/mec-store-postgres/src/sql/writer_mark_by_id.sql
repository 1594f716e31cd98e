UPDATE writers SET last_batch_id = $2, seen_at = clock_timestamp() WHERE writer_id = $1
