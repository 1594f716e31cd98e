UPDATE accounts a
SET external_id = NULL
FROM json_populate_recordset(NULL::accounts, $1::text::json) AS c
WHERE a.namespace_id = c.namespace_id AND a.account_id = c.account_id AND a.external_id IS NOT NULL
    AND a.external_id IS DISTINCT FROM c.external_id
