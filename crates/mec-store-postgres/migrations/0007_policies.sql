-- What every query of a caller's pays for: who it is. PostgreSQL plans the body of a function in SQL anew for
-- each query; one in PL/pgSQL is planned once on a connection.

SET LOCAL search_path TO mec, pg_temp;

CREATE OR REPLACE FUNCTION claimed_namespace() RETURNS text
LANGUAGE plpgsql STABLE SET search_path = mec, pg_temp AS $$
DECLARE
    claimed jsonb := claims() -> 'namespace_id';
BEGIN
    RETURN CASE WHEN jsonb_typeof(claimed) = 'string' THEN claimed #>> '{}' END;
END $$;

CREATE OR REPLACE FUNCTION seen_accounts() RETURNS uuid[]
LANGUAGE plpgsql STABLE SET search_path = mec, pg_temp AS $$
BEGIN
    IF current_user IN ('mec_service', 'mec_admin') THEN
        RETURN NULL;
    END IF;
    RETURN CASE WHEN jsonb_typeof(claims() -> 'account_id') <> 'null' THEN accounts_of_claims() END;
END $$;

-- Who sees a whole namespace is asked that before the first row, not of every row: a condition on rows, of
-- which the planner cannot know that it holds for all, makes it expect few rows of an account with many, and
-- sort all of them where an index has them in order.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['accounts', 'account_external_ids', 'subscriptions', 'entitlements', 'consumption_ledger',
        'grants', 'reservations', 'concurrency_leases', 'control_decisions_log', 'usage_buckets'] LOOP
        EXECUTE format('ALTER POLICY own ON %I TO mec_user', name);
        EXECUTE format(
            'CREATE POLICY all_of_namespace ON %I FOR SELECT TO mec_service, mec_admin '
            'USING (namespace_id = (SELECT claimed_namespace()) AND (SELECT seen_accounts()) IS NULL)', name);
    END LOOP;
END $$;
