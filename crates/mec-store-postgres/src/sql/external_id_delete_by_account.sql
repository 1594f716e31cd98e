WITH gone AS (
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::uuid[]) AS g (namespace_id, external_id, provider, account_id)
), deleted AS (
    DELETE FROM account_external_ids x
    USING gone g
    WHERE x.namespace_id = g.namespace_id AND x.external_id = g.external_id AND x.provider = g.provider
        AND x.account_id = g.account_id
    RETURNING 1
)
SELECT must_be((SELECT count(*) FROM deleted), (SELECT count(*) FROM gone),
    'external_id is not linked to the account')
