SELECT bucket_start, whole, micros FROM usage_buckets
WHERE counter_id = ?1 AND granularity = ?2 AND bucket_start >= ?3 AND bucket_start < ?4
