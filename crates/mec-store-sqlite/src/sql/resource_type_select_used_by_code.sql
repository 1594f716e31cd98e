SELECT resource_type_code
FROM resource_types
WHERE namespace_id = ?1 AND resource_type_code = ?2
    AND (
        EXISTS (SELECT 1 FROM usage_counters WHERE namespace_id = ?1 AND resource_type_code = ?2)
        OR EXISTS (SELECT 1 FROM entitlements WHERE namespace_id = ?1 AND resource_type_code = ?2)
        OR EXISTS (SELECT 1 FROM grants WHERE namespace_id = ?1 AND resource_type_code = ?2)
        OR EXISTS (SELECT 1 FROM reservations WHERE namespace_id = ?1 AND resource_type_code = ?2)
        OR EXISTS (SELECT 1 FROM concurrency_leases WHERE namespace_id = ?1 AND resource_type_code = ?2)
    )
