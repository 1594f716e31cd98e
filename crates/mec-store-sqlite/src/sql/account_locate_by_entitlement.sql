SELECT a.account_id, a.owner_account_id
FROM entitlements x
JOIN accounts a ON a.namespace_id = x.namespace_id AND a.account_id = x.account_id
WHERE x.namespace_id = ?1 AND x.entitlement_id = ?2
