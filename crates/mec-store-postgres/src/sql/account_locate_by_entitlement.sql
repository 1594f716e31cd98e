SELECT w.place, a.account_id, a.owner_account_id
FROM unnest($1::text[], $2::uuid[]) WITH ORDINALITY AS w (namespace_id, wanted, place)
JOIN entitlements x ON x.namespace_id = w.namespace_id AND x.entitlement_id = w.wanted
JOIN accounts a ON a.namespace_id = w.namespace_id AND a.account_id = x.account_id
