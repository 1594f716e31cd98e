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
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA mec FROM PUBLIC;
GRANT USAGE ON SCHEMA mec TO mec_engine, mec_anon, mec_user, mec_service, mec_admin;

-- What the claims of the present caller say. Claims that are missing or are no JSON are none.

CREATE FUNCTION claims() RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = mec, pg_temp AS $$
BEGIN
    RETURN coalesce(nullif(current_setting('request.jwt.claims', true), '')::jsonb, '{}');
EXCEPTION WHEN invalid_text_representation THEN
    RETURN '{}';
END $$;

CREATE FUNCTION claimed_namespace() RETURNS text
LANGUAGE sql STABLE SET search_path = mec, pg_temp AS $$
    SELECT claims() ->> 'namespace_id'
$$;

-- The account that a caller of the role mec_user is bound to; none for a caller of the whole namespace.
-- What is no id is an account that does not exist.
CREATE FUNCTION claimed_account() RETURNS uuid
LANGUAGE plpgsql STABLE SET search_path = mec, pg_temp AS $$
BEGIN
    RETURN CASE WHEN current_user = 'mec_user' THEN (claims() ->> 'account_id')::uuid END;
EXCEPTION WHEN invalid_text_representation THEN
    RETURN 'ffffffff-ffff-ffff-ffff-ffffffffffff';
END $$;

-- The accounts that such a caller sees. It reads as the service does, since the policy of accounts asks it.
CREATE FUNCTION accounts_below(namespace text, root uuid) RETURNS uuid[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = mec, pg_temp AS $$
    WITH RECURSIVE below (account_id) AS (
        SELECT a.account_id FROM accounts a WHERE a.namespace_id = namespace AND a.account_id = root
        UNION
        SELECT a.account_id
        FROM below b
        JOIN accounts a ON a.namespace_id = namespace AND a.parent_account_id = b.account_id
    )
    SELECT array_agg(account_id) FROM below
$$;

-- None where all of the namespace is seen.
CREATE FUNCTION seen_accounts() RETURNS uuid[]
LANGUAGE sql STABLE SET search_path = mec, pg_temp AS $$
    SELECT CASE WHEN claimed_account() IS NOT NULL
        THEN coalesce(accounts_below(claimed_namespace(), claimed_account()), '{}') END
$$;

DO $$
BEGIN
    EXECUTE format('GRANT mec_engine TO %I', current_user);
EXCEPTION WHEN OTHERS THEN
    -- A superuser needs no membership to give a function away.
    NULL;
END $$;
GRANT CREATE ON SCHEMA mec TO mec_engine;
ALTER FUNCTION accounts_below OWNER TO mec_engine;
REVOKE CREATE ON SCHEMA mec FROM mec_engine;

GRANT EXECUTE ON FUNCTION claims(), claimed_namespace(), claimed_account(), seen_accounts(), accounts_below(text, uuid)
    TO mec_anon, mec_user, mec_service, mec_admin, mec_engine;
GRANT EXECUTE ON FUNCTION must_be(bigint, bigint, text), make_ledger_partitions(integer) TO mec_engine;

-- The service reads and writes what it needs: of what is only ever appended to it deletes what retention
-- drops, and changes nothing.

GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA mec TO mec_engine;
REVOKE UPDATE, DELETE ON consumption_ledger, consumption_event_details, recorded_units FROM mec_engine;
REVOKE UPDATE ON entitlements_audit, control_decisions_log FROM mec_engine;
GRANT SELECT ON public.mec_schema_migrations TO mec_engine;

DO $$
DECLARE
    t record;
BEGIN
    FOR t IN
        SELECT c.relname::text AS name
        FROM pg_class c
        WHERE c.relnamespace = 'mec'::regnamespace AND c.relkind IN ('r', 'p')
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', t.name);
        EXECUTE format('CREATE POLICY engine ON %I TO mec_engine USING (true) WITH CHECK (true)', t.name);
    END LOOP;
END $$;

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

-- The catalogue is the namespace's; an administrator of all namespaces sees all of them.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['resource_types', 'resource_type_allowed_units', 'plans',
        'plan_entitlement_templates', 'control_rules', 'control_rule_conditions'] LOOP
        EXECUTE format(
            'CREATE POLICY own ON %I FOR SELECT TO mec_user, mec_service, mec_admin '
            'USING (namespace_id = (SELECT claimed_namespace()) '
            'OR (current_user = ''mec_admin'' AND (SELECT claimed_namespace()) = ''*''))', name);
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
            'USING ((namespace_id = (SELECT claimed_namespace()) '
            'OR (current_user = ''mec_admin'' AND (SELECT claimed_namespace()) = ''*'')) '
            'AND ((SELECT seen_accounts()) IS NULL OR %I = ANY ((SELECT seen_accounts())::uuid[])))', t.name, t.account);
        EXECUTE format('GRANT SELECT ON %I TO mec_user, mec_service, mec_admin', t.name);
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

-- A stored answer is seen with the event or the reservation that it made.
CREATE POLICY own ON idempotency_keys FOR SELECT TO mec_user, mec_service, mec_admin
USING (
    EXISTS (SELECT FROM consumption_ledger l WHERE l.namespace_id = idempotency_keys.namespace_id AND l.event_id = idempotency_keys.event_id)
    OR EXISTS (SELECT FROM reservations r WHERE r.namespace_id = idempotency_keys.namespace_id AND r.reservation_id = idempotency_keys.event_id)
);
GRANT SELECT (namespace_id, rpc, event_id, answer, created_at) ON idempotency_keys TO mec_user, mec_service, mec_admin;
