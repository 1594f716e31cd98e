SELECT namespace_id, level_id, resource_type_code, drawn_for, resource_scope, granularity, bucket_start, amount::text
FROM usage_buckets
ORDER BY namespace_id, level_id, resource_type_code, drawn_for, resource_scope
