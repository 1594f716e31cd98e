-- Rows in every table of a namespace, with the same ids in all namespaces: an owner (10) with a team (20)
-- and its user (30) below, and another owner (40). What callers must not see is called secret.
BEGIN;
CREATE TEMP TABLE who ON COMMIT DROP AS
SELECT * FROM (VALUES
    ('00000000-0000-0000-0000-000000000010'::uuid, NULL::uuid, '00000000-0000-0000-0000-000000000010'::uuid),
    ('00000000-0000-0000-0000-000000000020', '00000000-0000-0000-0000-000000000010', '00000000-0000-0000-0000-000000000010'),
    ('00000000-0000-0000-0000-000000000030', '00000000-0000-0000-0000-000000000020', '00000000-0000-0000-0000-000000000010'),
    ('00000000-0000-0000-0000-000000000040', NULL, '00000000-0000-0000-0000-000000000040')
) AS w (id, parent, owner);
CREATE OR REPLACE FUNCTION pg_temp.made(what text, id uuid) RETURNS uuid LANGUAGE sql AS 'SELECT md5(what || id)::uuid';

INSERT INTO catalogue_versions (namespace_id, version) VALUES ('{ns}', 1);
INSERT INTO resource_types VALUES ('{ns}', 'runs', '', 'hours', false, true, false);
INSERT INTO resource_type_allowed_units VALUES ('{ns}', 'runs', 'hours', 0), ('{ns}', 'runs', 'minutes', 1);
INSERT INTO plans
SELECT '{ns}', p.id, p.id, '', false, NULL, false, NULL, p.status, now(), now()
FROM (VALUES ('pro', 'active'), ('old', 'archived')) AS p (id, status);
INSERT INTO plan_entitlement_templates
VALUES ('{ns}', md5('template')::uuid, 'pro', 0, 'runs', NULL, 'cumulative', 5, false, 'hours', 'month', NULL, 0);
INSERT INTO control_rules
VALUES ('{ns}', md5('rule')::uuid, 'rule', 0, 'runs', NULL, 'cumulative', 'block', 80, NULL, NULL, NULL, 0, true, now());
INSERT INTO control_rule_conditions VALUES ('{ns}', md5('rule')::uuid, 0, 'country', 'eq', 'DE');

INSERT INTO accounts (namespace_id, account_id, account_type_code, parent_account_id, owner_account_id,
    has_had_children, display_name, metadata, status, created_at, updated_at)
SELECT '{ns}', id, 'organization', parent, owner, EXISTS (SELECT FROM who c WHERE c.parent = w.id), 'secret of {ns}', '{}', 'active',
    now(), now()
FROM who w ORDER BY id;
INSERT INTO account_external_ids SELECT '{ns}', id::text, 'stripe', id FROM who;
INSERT INTO subscriptions
SELECT '{ns}', pg_temp.made('subscription', id), id, 'pro', NULL, 'active', 1, now(), NULL, NULL, now(), now() FROM who;
INSERT INTO entitlements (namespace_id, entitlement_id, account_id, resource_type_code, limit_kind_code,
    quantity_allowed, unit_code, effective_start, window_type_code, plan_id, priority, status, version, created_at,
    updated_at)
SELECT '{ns}', pg_temp.made('entitlement', id), id, 'runs', 'cumulative', 5, 'hours', now() - interval '1 hour',
    'month', 'pro', 0, 'active', 1, now(), now()
FROM who;
INSERT INTO entitlements_audit (namespace_id, audit_id, entitlement_id, operation, new_values, changed_by, changed_at)
SELECT '{ns}', pg_temp.made('audit', id), pg_temp.made('entitlement', id), 'INSERT', '{}', 'me', now() FROM who;
INSERT INTO entitlement_conditions
SELECT '{ns}', pg_temp.made('entitlement', id), 0, 'country', 'eq', 'DE' FROM who;

INSERT INTO consumption_ledger (namespace_id, event_id, account_id, resource_type_code, resource_scope, quantity,
    unit_code, occurred_at, is_correction, created_at, owner_account_id, recorded_under, chain_id, chain_seq,
    chain_hash)
SELECT '{ns}', pg_temp.made('event', id), id, 'runs', 'eu', 2, 'hours', '2026-03-01T12:34:56Z', false, now(), owner,
    '{}', owner, 1, decode(repeat('00', 32), 'hex')
FROM who;
INSERT INTO consumption_event_details SELECT '{ns}', pg_temp.made('event', id), 'job', 'secret' FROM who;
INSERT INTO grants
SELECT '{ns}', pg_temp.made('grant', id), id, 'runs', NULL, 'month', 3, 'hours', 120, 0, NULL, NULL, NULL, now() FROM who;
INSERT INTO grant_draws SELECT '{ns}', pg_temp.made('event', id), pg_temp.made('grant', id), 0, 60 FROM who;
INSERT INTO reservations
SELECT '{ns}', pg_temp.made('reservation', id), id, 'runs', NULL, 1, 'hours', now(), now(), 'open', NULL, NULL, '[]'
FROM who;
INSERT INTO idempotency_keys
SELECT '{ns}', decode(md5(k.rpc || w.id), 'hex'), 'secret', k.rpc, '', pg_temp.made(k.made, w.id),
    '{"decision": "allow", "code": "within_entitlement", "reason": "", "quantity_used": 0.1, "rule_id": null}', now()
FROM who w
CROSS JOIN (VALUES ('consume', 'event'), ('reserve', 'reservation'), ('grant_credit', 'grant')) AS k (rpc, made);
INSERT INTO concurrency_leases
SELECT '{ns}', pg_temp.made('lease', id), id, 'runs', NULL, 1, 1, now(), now() + interval '1 day', now(), NULL, NULL,
    NULL, 86400, CASE WHEN parent IS NULL THEN '' ELSE '{"decision": "allow", "percent_used": 12.5}' END, now()
FROM who;
INSERT INTO control_decisions_log (namespace_id, decision_id, account_id, resource_type_code, requested_quantity,
    decision, code, reason, decided_at)
SELECT '{ns}', pg_temp.made('decision', id), id, 'runs', 1, 'deny', 'limit_reached', '', now() FROM who;

INSERT INTO trees
SELECT '{ns}', owner, owner, 1, decode(repeat('00', 32), 'hex'), 1, now(), 1 FROM who GROUP BY owner;
INSERT INTO tree_scopes SELECT '{ns}', owner, 'runs', 'eu' FROM who GROUP BY owner;
INSERT INTO tree_log SELECT '{ns}', owner, 1, owner FROM who GROUP BY owner;
INSERT INTO usage_buckets
SELECT '{ns}', w.id, 'runs', '', s.scope, g.granularity, g.first,
    120 * CASE w.id WHEN '00000000-0000-0000-0000-000000000010' THEN 3
        WHEN '00000000-0000-0000-0000-000000000020' THEN 2 ELSE 1 END
FROM who w
CROSS JOIN (VALUES (''), ('eu')) AS s (scope)
CROSS JOIN (VALUES (0, 'epoch'::timestamptz), (1, '2026-03-01T00:00Z'), (2, '2026-03-01T12:00Z'),
    (3, '2026-03-01T12:34Z')) AS g (granularity, first);
INSERT INTO own_totals SELECT '{ns}', id, 'runs', '', 120 FROM who;
INSERT INTO open_holds
SELECT '{ns}', id, 1, pg_temp.made('reservation', id), owner, 'runs', NULL, 60, now(), now(), '[]' FROM who;
INSERT INTO grace_clocks SELECT '{ns}', id, 'runs', 'cumulative', 'month', '', now(), NULL FROM who;
INSERT INTO former_descendants SELECT '{ns}', owner, id FROM who WHERE parent IS NOT NULL;
COMMIT;
