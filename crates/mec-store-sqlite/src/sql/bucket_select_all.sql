SELECT c.counter_id, c.namespace_id, c.level_id, c.resource_type_code, c.resource_scope, c.drawn_for, b.granularity,
    b.bucket_start, b.whole, b.micros
FROM usage_counters c
JOIN usage_buckets b ON b.counter_id = c.counter_id
ORDER BY c.counter_id, b.granularity, b.bucket_start
