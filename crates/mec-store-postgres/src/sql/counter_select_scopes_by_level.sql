SELECT DISTINCT resource_scope FROM usage_buckets
WHERE namespace_id = $1 AND level_id = $2 AND resource_type_code = $3 AND drawn_for = '' AND granularity = 0
