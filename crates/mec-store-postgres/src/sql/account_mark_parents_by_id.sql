UPDATE accounts a SET has_had_children = true
FROM unnest($1::text[], $2::uuid[]) AS p (namespace_id, account_id)
WHERE a.namespace_id = p.namespace_id AND a.account_id = p.account_id AND NOT a.has_had_children
