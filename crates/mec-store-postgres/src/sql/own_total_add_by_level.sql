INSERT INTO own_totals (namespace_id, level_id, resource_type_code, resource_scope, amount)
SELECT namespace_id, level_id, resource_type_code, resource_scope, amount::numeric
FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[])
    AS o (namespace_id, level_id, resource_type_code, resource_scope, amount)
ON CONFLICT (namespace_id, level_id, resource_type_code, resource_scope)
DO UPDATE SET amount = own_totals.amount + excluded.amount
