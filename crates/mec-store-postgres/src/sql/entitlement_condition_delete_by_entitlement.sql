DELETE FROM entitlement_conditions c
USING unnest($1::text[], $2::uuid[]) AS e (namespace_id, entitlement_id)
WHERE c.namespace_id = e.namespace_id AND c.entitlement_id = e.entitlement_id
