INSERT INTO usage_buckets (namespace_id, level_id, resource_type_code, drawn_for, resource_scope, granularity,
    bucket_start, amount)
SELECT namespace_id, level_id, resource_type_code, drawn_for, resource_scope, granularity, bucket_start, amount::numeric
FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::timestamptz[], $8::text[])
    AS b (namespace_id, level_id, resource_type_code, drawn_for, resource_scope, granularity, bucket_start, amount)
ON CONFLICT (namespace_id, level_id, resource_type_code, drawn_for, resource_scope, granularity, bucket_start)
DO UPDATE SET amount = usage_buckets.amount + excluded.amount
