SELECT r.resource_type_code
FROM resource_types r
WHERE r.namespace_id = $1 AND r.resource_type_code = ANY ($2::text[])
    AND (
        EXISTS (SELECT FROM usage_buckets x WHERE x.namespace_id = $1 AND x.resource_type_code = r.resource_type_code)
        OR EXISTS (SELECT FROM entitlements x WHERE x.namespace_id = $1 AND x.resource_type_code = r.resource_type_code)
        OR EXISTS (SELECT FROM grants x WHERE x.namespace_id = $1 AND x.resource_type_code = r.resource_type_code)
        OR EXISTS (SELECT FROM reservations x WHERE x.namespace_id = $1 AND x.resource_type_code = r.resource_type_code)
        OR EXISTS (SELECT FROM concurrency_leases x WHERE x.namespace_id = $1 AND x.resource_type_code = r.resource_type_code)
    )
