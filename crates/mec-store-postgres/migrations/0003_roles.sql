-- Who may do what. The roles that stand for callers only read, under policies by namespace and, for a
-- caller that is bound to an account, by that account's subtree; all writes go through the service,
-- whose own role is let through by a policy and bypasses nothing. Roles belong to the whole cluster,
-- so that another database may have made them.

SET LOCAL search_path TO mec, pg_temp;

DO $$
DECLARE
    wanted text[] := ARRAY['mec_anon', 'mec_user', 'mec_service', 'mec_admin'];
    name text;
BEGIN
    FOREACH name IN ARRAY wanted LOOP
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN NOINHERIT', name);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
        END;
    END LOOP;
    BEGIN
        CREATE ROLE authenticator LOGIN NOINHERIT;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
    END;
    BEGIN
        CREATE ROLE mec_engine LOGIN NOINHERIT;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
    END;
END $$;
GRANT mec_anon, mec_user, mec_service, mec_admin TO authenticator;

REVOKE ALL ON SCHEMA mec FROM PUBLIC;
GRANT USAGE ON SCHEMA mec TO mec_engine, mec_anon, mec_user, mec_service, mec_admin;

-- What the claims of the present caller say. Claims that are missing or cannot be read are none.

CREATE FUNCTION claims() RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = mec, pg_temp AS $$
BEGIN
    RETURN coalesce(nullif(current_setting('request.jwt.claims', true), '')::jsonb, '{}');
EXCEPTION WHEN OTHERS THEN
    RETURN '{}';
END $$;

CREATE FUNCTION claimed_namespace() RETURNS text
LANGUAGE sql STABLE SET search_path = mec, pg_temp AS $$
    SELECT CASE WHEN jsonb_typeof(claims() -> 'namespace_id') = 'string' THEN claims() ->> 'namespace_id' END
$$;

-- The accounts from the one that the claims name downwards; none where they name no account. It reads as
-- the service does, since the policy of accounts asks it, and so takes nothing from whoever calls it.
CREATE FUNCTION accounts_of_claims() RETURNS uuid[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = mec, pg_temp AS $$
    WITH RECURSIVE caller (namespace_id, account_id) AS MATERIALIZED (
        SELECT claimed_namespace(), CASE
            WHEN claims() ->> 'account_id' ~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$'
            THEN (claims() ->> 'account_id')::uuid
        END
    ),
    below (namespace_id, account_id) AS (
        SELECT a.namespace_id, a.account_id
        FROM caller c
        JOIN accounts a ON a.namespace_id = c.namespace_id AND a.account_id = c.account_id
        UNION
        SELECT a.namespace_id, a.account_id
        FROM below b
        JOIN accounts a ON a.namespace_id = b.namespace_id AND a.parent_account_id = b.account_id
    )
    SELECT coalesce(array_agg(account_id), '{}') FROM below
$$;

-- The accounts that the caller is bound to; null for one that sees all of its namespace. Only the service
-- and administrators are bound to none whatever their claims say, so that a role which was given the
-- rights of mec_user is bound as mec_user is.
CREATE FUNCTION seen_accounts() RETURNS uuid[]
LANGUAGE sql STABLE SET search_path = mec, pg_temp AS $$
    SELECT CASE
        WHEN current_user NOT IN ('mec_service', 'mec_admin') AND jsonb_typeof(claims() -> 'account_id') <> 'null'
        THEN accounts_of_claims()
    END
$$;

DO $$
BEGIN
    EXECUTE format('GRANT mec_engine TO %I', current_user);
EXCEPTION WHEN OTHERS THEN
    -- A superuser needs no membership to give a function away.
    NULL;
END $$;
GRANT CREATE ON SCHEMA mec TO mec_engine;
ALTER FUNCTION accounts_of_claims() OWNER TO mec_engine;
REVOKE CREATE ON SCHEMA mec FROM mec_engine;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA mec FROM PUBLIC;
GRANT EXECUTE ON FUNCTION claims(), claimed_namespace() TO mec_user, mec_service, mec_admin, mec_engine;
GRANT EXECUTE ON FUNCTION seen_accounts(), accounts_of_claims() TO mec_user, mec_service, mec_admin;
GRANT EXECUTE ON FUNCTION must_be(bigint, bigint, text), make_ledger_partitions(integer) TO mec_engine;

-- The service reads everything and writes what its statements write. What is only ever appended to it
-- does not change, and deletes of it what retention drops. On the ledger's partitions nobody has rights.

DO $$
DECLARE
    t record;
BEGIN
    FOR t IN
        SELECT c.relname::text AS name, c.relispartition
        FROM pg_class c
        WHERE c.relnamespace = 'mec'::regnamespace AND c.relkind IN ('r', 'p')
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', t.name);
        IF NOT t.relispartition THEN
            EXECUTE format('CREATE POLICY engine ON %I TO mec_engine USING (true) WITH CHECK (true)', t.name);
            EXECUTE format('GRANT SELECT, INSERT ON %I TO mec_engine', t.name);
        END IF;
    END LOOP;
END $$;
REVOKE INSERT ON store_meta, limit_kinds, limit_actions FROM mec_engine;
GRANT UPDATE ON store_meta, account_types, units, window_types, catalogue_versions, resource_types, plans, accounts,
    subscriptions, entitlements, grants, grant_draws, reservations, idempotency_keys, concurrency_leases, trees,
    usage_buckets, own_totals, open_holds, grace_clocks, writers, copy_marks TO mec_engine;
GRANT DELETE ON account_types, units, window_types, resource_types, resource_type_allowed_units, plans,
    plan_entitlement_templates, control_rules, control_rule_conditions, catalogue_versions, account_external_ids, entitlement_conditions, entitlements_audit,
    idempotency_keys, control_decisions_log, open_holds, grace_clocks, tree_log, writers, copy_marks TO mec_engine;
GRANT SELECT ON units_named, units_in_use, window_types_in_use, account_types_in_use, public.mec_schema_migrations
    TO mec_engine;

-- Lookups are the same for everybody.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['account_types', 'units', 'limit_kinds', 'window_types', 'limit_actions'] LOOP
        EXECUTE format('CREATE POLICY everybody ON %I FOR SELECT TO mec_anon, mec_user, mec_service, mec_admin USING (true)', name);
        EXECUTE format('GRANT SELECT ON %I TO mec_anon, mec_user, mec_service, mec_admin', name);
    END LOOP;
END $$;

-- The catalogue is the namespace's; an administrator of all namespaces sees all of them. That is a policy
-- of its own, so that for all others the namespace is a plain condition which every index begins with.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['resource_types', 'resource_type_allowed_units', 'plans',
        'plan_entitlement_templates', 'control_rules', 'control_rule_conditions'] LOOP
        EXECUTE format(
            'CREATE POLICY own ON %I FOR SELECT TO mec_user, mec_service, mec_admin '
            'USING (namespace_id = (SELECT claimed_namespace()))', name);
        EXECUTE format(
            'CREATE POLICY everywhere ON %I FOR SELECT TO mec_admin '
            'USING ((SELECT claimed_namespace()) = ''*'')', name);
        EXECUTE format('GRANT SELECT ON %I TO mec_user, mec_service, mec_admin', name);
    END LOOP;
END $$;
CREATE POLICY shown ON plans FOR SELECT TO mec_anon USING (namespace_id = 'default' AND status = 'active');
GRANT SELECT ON plans TO mec_anon;

-- What belongs to an account is seen with the account.
DO $$
DECLARE
    t record;
BEGIN
    FOR t IN
        SELECT * FROM (VALUES
            ('accounts', 'account_id'), ('account_external_ids', 'account_id'), ('subscriptions', 'account_id'),
            ('entitlements', 'account_id'), ('consumption_ledger', 'account_id'), ('grants', 'account_id'),
            ('reservations', 'account_id'), ('concurrency_leases', 'account_id'),
            ('control_decisions_log', 'account_id'), ('usage_buckets', 'level_id')
        ) AS v (name, account)
    LOOP
        EXECUTE format(
            'CREATE POLICY own ON %I FOR SELECT TO mec_user, mec_service, mec_admin '
            'USING (namespace_id = (SELECT claimed_namespace()) '
            'AND ((SELECT seen_accounts()) IS NULL OR %I = ANY ((SELECT seen_accounts())::uuid[])))', t.name, t.account);
        EXECUTE format(
            'CREATE POLICY everywhere ON %I FOR SELECT TO mec_admin '
            'USING ((SELECT claimed_namespace()) = ''*'' AND (SELECT seen_accounts()) IS NULL)', t.name);
        IF t.name <> 'consumption_ledger' THEN
            EXECUTE format('GRANT SELECT ON %I TO mec_user, mec_service, mec_admin', t.name);
        END IF;
    END LOOP;
    -- What hangs on one of these is seen with it: its policy asks a table that has one of its own.
    FOR t IN
        SELECT * FROM (VALUES
            ('entitlement_conditions', 'entitlements', 'entitlement_id', 'entitlement_id'),
            ('entitlements_audit', 'entitlements', 'entitlement_id', 'entitlement_id'),
            ('consumption_event_details', 'consumption_ledger', 'event_id', 'event_id'),
            ('grant_draws', 'grants', 'grant_id', 'grant_id')
        ) AS v (name, of, own, other)
    LOOP
        EXECUTE format(
            'CREATE POLICY own ON %1$I FOR SELECT TO mec_user, mec_service, mec_admin '
            'USING (EXISTS (SELECT FROM %2$I o WHERE o.namespace_id = %1$I.namespace_id AND o.%4$I = %1$I.%3$I))',
            t.name, t.of, t.own, t.other);
        EXECUTE format('GRANT SELECT ON %I TO mec_user, mec_service, mec_admin', t.name);
    END LOOP;
END $$;

-- Whom an event was recorded under is nobody's business below them.
GRANT SELECT (namespace_id, event_id, idempotency_key, account_id, resource_type_code, resource_scope, quantity,
    unit_code, occurred_at, period_start, period_end, is_correction, corrects_event_id, created_at, owner_account_id,
    chain_id, chain_seq, chain_hash) ON consumption_ledger TO mec_user, mec_service, mec_admin;

-- A stored answer is seen with the event or the reservation that it made.
CREATE POLICY own ON idempotency_keys FOR SELECT TO mec_user, mec_service, mec_admin
USING (
    EXISTS (SELECT FROM consumption_ledger l WHERE l.namespace_id = idempotency_keys.namespace_id AND l.event_id = idempotency_keys.event_id)
    OR EXISTS (SELECT FROM reservations r WHERE r.namespace_id = idempotency_keys.namespace_id AND r.reservation_id = idempotency_keys.event_id)
);
GRANT SELECT (namespace_id, rpc, event_id, answer, created_at) ON idempotency_keys TO mec_user, mec_service, mec_admin;
