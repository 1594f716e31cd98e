SELECT c.namespace_id, c.level_id, c.resource_type_code, c.resource_scope, b.granularity,
       CASE b.granularity WHEN 3 THEN b.bucket_start / 60000000 * 60000000 ELSE b.bucket_start END AS start,
       sum(b.whole) + sum(b.micros) / 1000000, sum(b.micros) % 1000000
FROM usage_counters c
JOIN usage_buckets b ON b.counter_id = c.counter_id
WHERE c.drawn_for = ''
GROUP BY c.counter_id, b.granularity, start
