-- What the database itself does not let happen, whoever asks.

SET LOCAL search_path TO mec, pg_temp;

CREATE FUNCTION refuse_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = mec, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_ARGV[0] USING ERRCODE = 'ME002';
END $$;

-- The logs are append-only but for what retention drops: rows older than a moment that is set for the
-- length of its transaction, and is 0 at all other times. The ledger has no such moment.
CREATE FUNCTION refuse_young() RETURNS trigger
LANGUAGE plpgsql SET search_path = mec, pg_temp AS $$
DECLARE
    before bigint := (SELECT value FROM store_meta WHERE name = TG_ARGV[1]);
    dropped timestamptz := (to_jsonb(OLD) ->> TG_ARGV[2])::timestamptz;
BEGIN
    IF dropped >= to_timestamp(before / 1000000.0) THEN
        RAISE EXCEPTION '% is append-only', TG_ARGV[0] USING ERRCODE = 'ME002';
    END IF;
    RETURN OLD;
END $$;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON consumption_ledger
    FOR EACH ROW EXECUTE FUNCTION refuse_change('consumption_ledger');
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON consumption_ledger
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('consumption_ledger');
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON consumption_ledger_rest
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('consumption_ledger');

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON consumption_event_details
    FOR EACH ROW EXECUTE FUNCTION refuse_change('consumption_event_details');
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON consumption_event_details
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('consumption_event_details');

CREATE TRIGGER append_only BEFORE UPDATE ON entitlements_audit
    FOR EACH ROW EXECUTE FUNCTION refuse_change('entitlements_audit');
CREATE TRIGGER kept BEFORE DELETE ON entitlements_audit
    FOR EACH ROW EXECUTE FUNCTION refuse_young('entitlements_audit', 'audit_drop_before', 'changed_at');
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON entitlements_audit
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('entitlements_audit');

CREATE TRIGGER append_only BEFORE UPDATE ON control_decisions_log
    FOR EACH ROW EXECUTE FUNCTION refuse_change('control_decisions_log');
CREATE TRIGGER kept BEFORE DELETE ON control_decisions_log
    FOR EACH ROW EXECUTE FUNCTION refuse_young('control_decisions_log', 'decisions_drop_before', 'decided_at');
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON control_decisions_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('control_decisions_log');

-- Such a moment does not outlive its transaction.
CREATE FUNCTION guard_door() RETURNS trigger
LANGUAGE plpgsql SET search_path = mec, pg_temp AS $$
BEGIN
    IF (SELECT value FROM store_meta WHERE name = NEW.name) <> 0 THEN
        RAISE EXCEPTION '% was not put back to 0', NEW.name USING ERRCODE = 'ME007';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER shut AFTER INSERT OR UPDATE ON store_meta
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (NEW.name IN ('decisions_drop_before', 'audit_drop_before') AND NEW.value <> 0)
    EXECUTE FUNCTION guard_door();

-- Partitions of the ledger, a month each, from the present month to one a number of months ahead. Each
-- is made apart and then attached, which keeps nobody from writing to the others, and waits for a lock a
-- moment at the most: there is time enough to try again, and until then the last partition takes what
-- has none. Where that already has rows of a month, they stay in it. Nobody has rights on a partition
-- itself, so that the ledger is read and written only as a whole.
CREATE FUNCTION make_ledger_partitions(months_ahead integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = mec, pg_temp SET lock_timeout = '1s' AS $$
DECLARE
    month timestamptz := date_trunc('month', clock_timestamp(), 'UTC');
    name text;
    first_id CONSTANT text := '%s-%s-0000-0000-000000000000';
    low text;
    high text;
    made integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('mec.make_ledger_partitions'));
    FOR step IN 0..least(months_ahead, 120) LOOP
        name := 'consumption_ledger_' || to_char(month AT TIME ZONE 'UTC', 'YYYY_MM');
        low := lpad(to_hex((extract(epoch FROM month) * 1000)::bigint), 12, '0');
        month := (month AT TIME ZONE 'UTC' + interval '1 month') AT TIME ZONE 'UTC';
        high := lpad(to_hex((extract(epoch FROM month) * 1000)::bigint), 12, '0');
        IF to_regclass('mec.' || name) IS NULL THEN
            BEGIN
                EXECUTE format('CREATE TABLE mec.%I (LIKE consumption_ledger INCLUDING CONSTRAINTS)', name);
                EXECUTE format('ALTER TABLE mec.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
                EXECUTE format('REVOKE ALL ON mec.%I FROM PUBLIC', name);
                EXECUTE format(
                    'CREATE TRIGGER no_truncate BEFORE TRUNCATE ON mec.%I '
                    'FOR EACH STATEMENT EXECUTE FUNCTION refuse_change(%L)', name, 'consumption_ledger'
                );
                EXECUTE format(
                    'ALTER TABLE consumption_ledger ATTACH PARTITION mec.%I FOR VALUES FROM (%L) TO (%L)', name,
                    format(first_id, substr(low, 1, 8), substr(low, 9)), format(first_id, substr(high, 1, 8), substr(high, 9))
                );
                made := made + 1;
            EXCEPTION WHEN check_violation THEN
                RAISE WARNING 'no partition was made for %: the last one has rows of that month', name;
            END;
        END IF;
    END LOOP;
    RETURN made;
END $$;

-- An account's parent may have children, and no account stands below itself.
CREATE FUNCTION guard_hierarchy() RETURNS trigger
LANGUAGE plpgsql SET search_path = mec, pg_temp AS $$
DECLARE
    above uuid := NEW.parent_account_id;
    steps integer := 0;
BEGIN
    IF NOT EXISTS (
        SELECT FROM accounts p JOIN account_types t USING (account_type_code)
        WHERE p.namespace_id = NEW.namespace_id AND p.account_id = NEW.parent_account_id AND NOT t.can_have_children
    ) THEN
        WHILE above IS NOT NULL AND above <> NEW.account_id AND steps < 64 LOOP
            SELECT parent_account_id INTO above FROM accounts
            WHERE namespace_id = NEW.namespace_id AND account_id = above;
            steps := steps + 1;
        END LOOP;
        IF above IS NULL THEN
            RETURN NULL;
        END IF;
    END IF;
    RAISE EXCEPTION 'the account % cannot stand below %', NEW.account_id, NEW.parent_account_id
        USING ERRCODE = 'ME003';
END $$;
CREATE CONSTRAINT TRIGGER hierarchy AFTER INSERT OR UPDATE OF parent_account_id ON accounts
    FOR EACH ROW WHEN (NEW.parent_account_id IS NOT NULL) EXECUTE FUNCTION guard_hierarchy();

-- A unit must be one that the resource type allows.
CREATE FUNCTION guard_unit() RETURNS trigger
LANGUAGE plpgsql SET search_path = mec, pg_temp AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM resource_type_allowed_units u
        WHERE u.namespace_id = NEW.namespace_id AND u.resource_type_code = NEW.resource_type_code
            AND u.unit_code = NEW.unit_code
    ) AND EXISTS (
        SELECT FROM resource_types r
        WHERE r.namespace_id = NEW.namespace_id AND r.resource_type_code = NEW.resource_type_code
    ) THEN
        RAISE EXCEPTION 'the resource type % does not allow the unit %', NEW.resource_type_code, NEW.unit_code
            USING ERRCODE = 'ME004';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER unit AFTER INSERT ON grants FOR EACH ROW EXECUTE FUNCTION guard_unit();
CREATE TRIGGER unit AFTER INSERT OR UPDATE OF unit_code ON entitlements FOR EACH ROW EXECUTE FUNCTION guard_unit();

-- The events of a statement are of accounts that exist, in units that their resource types allow.
CREATE FUNCTION guard_events() RETURNS trigger
LANGUAGE plpgsql SET search_path = mec, pg_temp AS $$
DECLARE
    stray record;
BEGIN
    SELECT n.event_id, n.account_id INTO stray
    FROM new_rows n
    WHERE NOT EXISTS (
        SELECT FROM accounts a WHERE a.namespace_id = n.namespace_id AND a.account_id = n.account_id
    )
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the account % of the event % does not exist', stray.account_id, stray.event_id
            USING ERRCODE = 'ME008';
    END IF;
    SELECT n.resource_type_code, n.unit_code INTO stray
    FROM (SELECT DISTINCT namespace_id, resource_type_code, unit_code FROM new_rows) n
    WHERE NOT EXISTS (SELECT FROM units u WHERE u.unit_code = n.unit_code)
        OR (NOT EXISTS (
            SELECT FROM resource_type_allowed_units u
            WHERE u.namespace_id = n.namespace_id AND u.resource_type_code = n.resource_type_code
                AND u.unit_code = n.unit_code
        ) AND EXISTS (
            SELECT FROM resource_types r
            WHERE r.namespace_id = n.namespace_id AND r.resource_type_code = n.resource_type_code
        ))
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the resource type % does not allow the unit %', stray.resource_type_code, stray.unit_code
            USING ERRCODE = 'ME004';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER guarded AFTER INSERT ON consumption_ledger REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION guard_events();
CREATE TRIGGER kept BEFORE DELETE ON accounts FOR EACH ROW EXECUTE FUNCTION refuse_change('accounts');
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON accounts
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('accounts');

-- No entitlement changes without a row of the audit in the same transaction.
CREATE FUNCTION guard_audit() RETURNS trigger
LANGUAGE plpgsql SET search_path = mec, pg_temp AS $$
DECLARE
    changed entitlements := coalesce(NEW, OLD);
BEGIN
    IF NOT EXISTS (
        SELECT FROM entitlements_audit a
        WHERE a.namespace_id = changed.namespace_id AND a.entitlement_id = changed.entitlement_id
            AND a.xid = pg_current_xact_id()
    ) THEN
        RAISE EXCEPTION 'the entitlement % changed without an audit', changed.entitlement_id USING ERRCODE = 'ME005';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON entitlements
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION guard_audit();

-- Stops a transaction whose update did not find what it was to change.
CREATE FUNCTION must_be(changed bigint, wanted bigint, what text) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = mec, pg_temp AS $$
BEGIN
    IF changed <> wanted THEN
        RAISE EXCEPTION '%', what USING ERRCODE = 'ME001';
    END IF;
END $$;

-- Of the rows that all namespaces share, one in use changes only its description. What was ever
-- recorded in a unit is noted apart, since the ledger has no index of it. The views read as whoever asks
-- does, since their owner need not be one whom the policies let through.

CREATE TABLE recorded_units (
    unit_code text PRIMARY KEY REFERENCES units
);
CREATE FUNCTION note_units() RETURNS trigger
LANGUAGE plpgsql SET search_path = mec, pg_temp AS $$
BEGIN
    INSERT INTO recorded_units (unit_code)
    SELECT DISTINCT n.unit_code FROM new_rows n
    WHERE NOT EXISTS (SELECT FROM recorded_units r WHERE r.unit_code = n.unit_code)
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER note_units AFTER INSERT ON consumption_ledger REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION note_units();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON recorded_units
    FOR EACH ROW EXECUTE FUNCTION refuse_change('recorded_units');
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON recorded_units
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('recorded_units');
CREATE TRIGGER note_units AFTER INSERT ON reservations REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION note_units();

CREATE VIEW units_named WITH (security_invoker = true) AS
SELECT default_unit_code AS unit_code FROM resource_types
UNION ALL SELECT unit_code FROM resource_type_allowed_units
UNION ALL SELECT unit_code FROM plan_entitlement_templates
UNION ALL SELECT unit_code FROM entitlements
UNION ALL SELECT unit_code FROM grants
UNION ALL SELECT unit_code FROM recorded_units;

CREATE VIEW units_in_use WITH (security_invoker = true) AS
SELECT unit_code FROM units_named
UNION ALL
SELECT u.base_unit_code FROM units u WHERE EXISTS (SELECT FROM units_named n WHERE n.unit_code = u.unit_code);

CREATE VIEW window_types_in_use WITH (security_invoker = true) AS
SELECT window_type_code FROM plan_entitlement_templates
UNION ALL SELECT window_type_code FROM entitlements
UNION ALL SELECT window_type_code FROM grants;

CREATE VIEW account_types_in_use WITH (security_invoker = true) AS
SELECT account_type_code FROM accounts;

CREATE FUNCTION guard_lookup() RETURNS trigger
LANGUAGE plpgsql SET search_path = mec, pg_temp AS $$
DECLARE
    in_use boolean;
    code text := to_jsonb(OLD) ->> TG_ARGV[0];
BEGIN
    IF TG_OP = 'UPDATE' AND to_jsonb(OLD) - 'description' = to_jsonb(NEW) - 'description' THEN
        RETURN NEW;
    END IF;
    EXECUTE format('SELECT EXISTS (SELECT FROM %I WHERE %I = $1)', TG_TABLE_NAME || '_in_use', TG_ARGV[0])
        INTO in_use USING code;
    IF in_use THEN
        RAISE EXCEPTION '% is in use and changes only its description', code USING ERRCODE = 'ME006';
    END IF;
    RETURN coalesce(NEW, OLD);
END $$;
CREATE TRIGGER in_use BEFORE UPDATE OR DELETE ON units
    FOR EACH ROW EXECUTE FUNCTION guard_lookup('unit_code');
CREATE TRIGGER in_use BEFORE UPDATE OR DELETE ON window_types
    FOR EACH ROW EXECUTE FUNCTION guard_lookup('window_type_code');
CREATE TRIGGER in_use BEFORE UPDATE OR DELETE ON account_types
    FOR EACH ROW EXECUTE FUNCTION guard_lookup('account_type_code');

SELECT make_ledger_partitions(12);
