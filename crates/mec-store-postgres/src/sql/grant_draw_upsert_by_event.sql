INSERT INTO grant_draws (namespace_id, event_id, grant_id, ordinal, amount)
SELECT d.namespace_id, d.event_id, d.grant_id,
    coalesce(
        (SELECT max(o.ordinal) FROM grant_draws o WHERE o.namespace_id = d.namespace_id AND o.event_id = d.event_id), 0
    ) + row_number() OVER (PARTITION BY d.namespace_id, d.event_id ORDER BY d.place),
    d.amount::numeric
FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::text[]) WITH ORDINALITY
    AS d (namespace_id, event_id, grant_id, amount, place)
ON CONFLICT (namespace_id, event_id, grant_id) DO UPDATE SET amount = grant_draws.amount + excluded.amount
