SELECT w.place, a.account_id, a.owner_account_id
FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS w (namespace_id, wanted, place)
JOIN accounts a ON a.namespace_id = w.namespace_id AND a.external_id = w.wanted
