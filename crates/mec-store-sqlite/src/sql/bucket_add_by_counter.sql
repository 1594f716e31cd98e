INSERT INTO usage_buckets (counter_id, granularity, bucket_start, whole, micros) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (counter_id, granularity, bucket_start) DO UPDATE SET
    whole = whole + excluded.whole + (micros + excluded.micros) / 1000000,
    micros = (micros + excluded.micros) % 1000000
