SELECT coalesce(sum(b.amount), 0)::numeric(38, 6)::text
FROM unnest($6::bigint[], $7::timestamptz[], $8::timestamptz[]) AS s (granularity, first, end_before)
JOIN usage_buckets b ON b.namespace_id = $1 AND b.level_id = $2 AND b.resource_type_code = $3 AND b.drawn_for = $4 AND b.resource_scope = $5
    AND b.granularity = s.granularity AND b.bucket_start >= s.first AND b.bucket_start < s.end_before
