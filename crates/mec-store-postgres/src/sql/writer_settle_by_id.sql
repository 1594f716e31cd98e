SELECT last_batch_id = $2 FROM writers WHERE writer_id = $1 FOR UPDATE
