SELECT b.bucket_start, b.amount::text FROM usage_buckets b
WHERE b.namespace_id = $1 AND b.level_id = $2 AND b.resource_type_code = $3 AND b.drawn_for = $4 AND b.resource_scope = $5
    AND b.granularity = $6 AND b.bucket_start >= $7 AND b.bucket_start < $8
