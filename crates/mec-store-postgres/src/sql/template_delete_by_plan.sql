DELETE FROM plan_entitlement_templates WHERE namespace_id = $1 AND plan_id = ANY ($2::text[])
