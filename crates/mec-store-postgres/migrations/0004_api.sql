-- What SQL clients read: the contract's names and columns. A view reads as whoever asks does, so that the
-- policies of its tables hold. What depends on windows is not here: they stand in the service.

CREATE SCHEMA api;
SET LOCAL search_path TO mec, pg_temp;

-- A lease that was not decided by a check has no decision.
CREATE FUNCTION json_or_null(written text) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE SET search_path = mec, pg_temp AS $$
BEGIN
    RETURN written::jsonb;
EXCEPTION WHEN OTHERS THEN
    RETURN NULL;
END $$;

CREATE VIEW api.account_types WITH (security_invoker = true) AS
SELECT account_type_code, description, can_have_children FROM account_types;

CREATE VIEW api.units WITH (security_invoker = true) AS
SELECT unit_code, unit_category, description, scale, base_unit_code, base_factor FROM units;

CREATE VIEW api.limit_kinds WITH (security_invoker = true) AS
SELECT limit_kind_code, description FROM limit_kinds;

CREATE VIEW api.window_types WITH (security_invoker = true) AS
SELECT window_type_code, description, mode, period_unit, period_count FROM window_types;

CREATE VIEW api.limit_actions WITH (security_invoker = true) AS
SELECT limit_action_code, description FROM limit_actions;

CREATE VIEW api.resource_types WITH (security_invoker = true) AS
SELECT namespace_id, resource_type_code, description, default_unit_code, is_inventory, is_concurrency, is_time_bound
FROM resource_types;

CREATE VIEW api.resource_type_allowed_units WITH (security_invoker = true) AS
SELECT namespace_id, resource_type_code, unit_code FROM resource_type_allowed_units;

CREATE VIEW api.plans WITH (security_invoker = true) AS
SELECT namespace_id, plan_id, plan_name, description, is_trial, trial_days, is_addon, external_id, status,
    created_at, updated_at
FROM plans;

CREATE VIEW api.plan_entitlement_templates WITH (security_invoker = true) AS
SELECT namespace_id, template_id, plan_id, resource_type_code, resource_scope, limit_kind_code, quantity_allowed,
    per_seat, unit_code, window_type_code, duration_days, priority
FROM plan_entitlement_templates;

CREATE VIEW api.control_rules WITH (security_invoker = true) AS
SELECT namespace_id, rule_id, rule_name, resource_type_code, resource_scope, limit_kind_code, limit_action_code,
    warn_at_percent, grace_quantity, grace_window_hours, overage_multiplier, priority, is_active
FROM control_rules;

CREATE VIEW api.control_rule_conditions WITH (security_invoker = true) AS
SELECT namespace_id, rule_id, condition_key, condition_op, condition_value FROM control_rule_conditions;

CREATE VIEW api.accounts WITH (security_invoker = true) AS
SELECT namespace_id, account_id, account_type_code, parent_account_id, external_id, display_name, email, timezone,
    metadata, status, created_at, updated_at
FROM accounts;

CREATE VIEW api.account_external_ids WITH (security_invoker = true) AS
SELECT namespace_id, provider, external_id, account_id FROM account_external_ids;

CREATE VIEW api.account_hierarchy WITH (security_invoker = true) AS
SELECT a.namespace_id, a.account_id, a.account_type_code, a.parent_account_id, a.external_id, a.display_name,
    a.status, a.owner_account_id, o.display_name AS owner_display_name
FROM accounts a
LEFT JOIN accounts o ON o.namespace_id = a.namespace_id AND o.account_id = a.owner_account_id;

CREATE VIEW api.subscriptions WITH (security_invoker = true) AS
SELECT namespace_id, subscription_id, account_id, plan_id, external_id, status, quantity, current_period_start,
    current_period_end, cancel_at, created_at, updated_at
FROM subscriptions;

CREATE VIEW api.consumption WITH (security_invoker = true) AS
SELECT namespace_id, event_id, idempotency_key, account_id, resource_type_code, resource_scope, quantity, unit_code,
    occurred_at, period_start, period_end, is_correction, corrects_event_id, created_at, owner_account_id, chain_id,
    chain_seq, chain_hash
FROM consumption_ledger;

CREATE VIEW api.consumption_event_details WITH (security_invoker = true) AS
SELECT namespace_id, event_id, detail_key, detail_value FROM consumption_event_details;

CREATE VIEW api.reservations WITH (security_invoker = true) AS
SELECT namespace_id, reservation_id, account_id, resource_type_code, resource_scope, quantity, unit_code, created_at,
    expires_at, status, event_id, committed_quantity
FROM reservations;

CREATE VIEW api.grants WITH (security_invoker = true) AS
SELECT namespace_id, grant_id, account_id, resource_type_code, resource_scope, window_type_code, quantity, unit_code,
    remaining, priority, expires_at, reason, voided_at, created_at
FROM grants;

CREATE VIEW api.grant_draws WITH (security_invoker = true) AS
SELECT namespace_id, event_id, grant_id, ordinal, amount FROM grant_draws;

CREATE VIEW api.entitlements WITH (security_invoker = true) AS
SELECT namespace_id, entitlement_id, account_id, resource_type_code, resource_scope, limit_kind_code,
    quantity_allowed, unit_code, effective_start, effective_end, window_type_code, window_anchor, plan_id,
    template_id, subscription_id, usage_from, priority, status, version, superseded_by, created_at, updated_at
FROM entitlements;

CREATE VIEW api.entitlement_conditions WITH (security_invoker = true) AS
SELECT namespace_id, entitlement_id, condition_key, condition_op, condition_value FROM entitlement_conditions;

CREATE VIEW api.entitlements_audit WITH (security_invoker = true) AS
SELECT namespace_id, audit_id, entitlement_id, operation, old_values, new_values, changed_by, changed_at
FROM entitlements_audit;

CREATE VIEW api.active_entitlements WITH (security_invoker = true) AS
SELECT e.namespace_id, e.entitlement_id, e.account_id, e.resource_type_code, e.resource_scope, e.limit_kind_code,
    e.quantity_allowed, e.unit_code, e.effective_start, e.effective_end, e.window_type_code, e.window_anchor,
    e.plan_id, e.template_id, e.subscription_id, e.usage_from, e.priority, e.status, e.version, e.superseded_by,
    e.created_at, e.updated_at, a.display_name AS account_name, a.parent_account_id, p.plan_name
FROM entitlements e
JOIN accounts a ON a.namespace_id = e.namespace_id AND a.account_id = e.account_id
LEFT JOIN plans p ON p.namespace_id = e.namespace_id AND p.plan_id = e.plan_id
WHERE e.status = 'active' AND e.effective_start <= statement_timestamp()
    AND (e.effective_end IS NULL OR statement_timestamp() < e.effective_end);

CREATE VIEW api.concurrency_leases WITH (security_invoker = true) AS
SELECT namespace_id, lease_id, account_id, resource_type_code, resource_scope, slots, fencing_token, acquired_at,
    expires_at, last_heartbeat, released_at, session_token, session_metadata, created_at
FROM concurrency_leases;

CREATE VIEW api.active_leases WITH (security_invoker = true) AS
SELECT l.namespace_id, l.lease_id, l.account_id, l.resource_type_code, l.resource_scope, l.slots, l.fencing_token,
    l.acquired_at, l.expires_at, l.last_heartbeat, l.session_token, l.session_metadata, l.created_at,
    a.display_name AS account_name,
    trunc(extract(epoch FROM l.expires_at - statement_timestamp()))::bigint AS seconds_until_expiry
FROM concurrency_leases l
JOIN accounts a ON a.namespace_id = l.namespace_id AND a.account_id = l.account_id
WHERE l.released_at IS NULL AND l.expires_at > statement_timestamp();

-- A granted consume, reserve or acquire is read from its own durable record; the rest was logged.
CREATE VIEW api.control_decisions WITH (security_invoker = true) AS
SELECT namespace_id, decision_id, account_id, resource_type_code, resource_scope, requested_quantity, unit_code,
    decision, code, reason, rule_id, entitlement_id, usage_at_decision, limit_at_decision, percent_used, request_id,
    decided_at
FROM control_decisions_log
UNION ALL
SELECT d.namespace_id, d.decision_id, d.account_id, d.resource_type_code, d.resource_scope, d.quantity, d.unit_code,
    d.answer ->> 'decision', d.answer ->> 'code', d.answer ->> 'reason', (d.answer ->> 'rule_id')::uuid,
    (d.answer ->> 'entitlement_id')::uuid, (d.answer ->> 'quantity_used')::numeric,
    (d.answer ->> 'quantity_allowed')::numeric, (d.answer ->> 'percent_used')::numeric, NULL, d.decided_at
FROM (
    SELECT l.namespace_id, l.event_id AS decision_id, l.account_id, l.resource_type_code, l.resource_scope,
        l.quantity, l.unit_code, json_or_null(k.answer) AS answer, k.created_at AS decided_at
    FROM idempotency_keys k
    JOIN consumption_ledger l ON l.namespace_id = k.namespace_id AND l.event_id = k.event_id
    WHERE k.rpc = 'consume'
    UNION ALL
    SELECT r.namespace_id, r.reservation_id, r.account_id, r.resource_type_code, r.resource_scope,
        r.quantity, r.unit_code, json_or_null(k.answer), k.created_at
    FROM idempotency_keys k
    JOIN reservations r ON r.namespace_id = k.namespace_id AND r.reservation_id = k.event_id
    WHERE k.rpc = 'reserve'
    UNION ALL
    SELECT c.namespace_id, c.lease_id, c.account_id, c.resource_type_code, c.resource_scope,
        c.slots, NULL, json_or_null(c.decision), c.created_at
    FROM concurrency_leases c
) AS d
WHERE d.answer IS NOT NULL;

-- An amount in a unit that holds a number of base units, to six places as the service rounds: what lies in
-- the middle goes to the even neighbour.
CREATE FUNCTION half_even(amount numeric, factor bigint) RETURNS numeric
LANGUAGE sql IMMUTABLE SET search_path = mec, pg_temp AS $$
    SELECT trim_scale((div(d.micros - d.over, factor) + CASE
        WHEN 2 * d.over > factor OR (2 * d.over = factor AND div(d.micros - d.over, factor) % 2 <> 0) THEN 1
        ELSE 0
    END) * 0.000001)
    FROM (
        SELECT amount * 1000000 AS micros, ((amount * 1000000) % factor + factor) % factor AS over
    ) AS d
$$;

-- How much of a resource an account used in [p_window_start, p_window_end), in the resource type's default
-- unit; null for an account that the caller does not see. Days are summed in the middle, hours and minutes
-- at the edges, so that a year costs few rows.
CREATE FUNCTION api.get_usage(
    p_account_id uuid,
    p_resource_type text,
    p_resource_scope text DEFAULT NULL,
    p_window_start timestamptz DEFAULT NULL,
    p_window_end timestamptz DEFAULT NULL,
    p_include_children boolean DEFAULT true
) RETURNS numeric
LANGUAGE plpgsql STABLE SET search_path = mec, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    namespace CONSTANT text := claimed_namespace();
    first CONSTANT timestamptz := coalesce(p_window_start, '-infinity');
    last CONSTANT timestamptz := coalesce(p_window_end, 'infinity');
    first_hour timestamptz := date_trunc('hour', first);
    last_hour CONSTANT timestamptz := date_trunc('hour', last);
    first_day timestamptz;
    last_day CONSTANT timestamptz := date_trunc('day', last);
    is_shared boolean;
    factor bigint;
    used numeric;
BEGIN
    IF namespace = '*' THEN
        RAISE EXCEPTION 'the claims must name one namespace' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF first <> date_trunc('minute', first) OR last <> date_trunc('minute', last) THEN
        RAISE EXCEPTION 'p_window_start and p_window_end must lie on whole minutes'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT a.has_had_children INTO is_shared FROM accounts a
    WHERE a.namespace_id = namespace AND a.account_id = p_account_id;
    IF is_shared IS NULL THEN
        RETURN NULL;
    END IF;
    SELECT u.base_factor INTO factor
    FROM resource_types r JOIN units u ON u.unit_code = r.default_unit_code
    WHERE r.namespace_id = namespace AND r.resource_type_code = p_resource_type;
    IF factor IS NULL THEN
        RAISE EXCEPTION 'there is no resource type %', p_resource_type USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF is_shared AND NOT p_include_children THEN
        -- The counters hold more than the account's own use.
        SELECT sum(l.quantity * u.base_factor) INTO used
        FROM consumption_ledger l JOIN units u ON u.unit_code = l.unit_code
        WHERE l.namespace_id = namespace AND l.account_id = p_account_id AND l.resource_type_code = p_resource_type
            AND l.occurred_at >= first AND l.occurred_at < last
            AND (p_resource_scope IS NULL OR l.resource_scope = p_resource_scope);
    ELSE
        first_hour := first_hour + CASE WHEN first_hour < first THEN interval '1 hour' ELSE interval '0' END;
        first_day := date_trunc('day', first_hour);
        first_day := first_day + CASE WHEN first_day < first_hour THEN interval '1 day' ELSE interval '0' END;
        -- Where the window holds no whole hour or no whole day, what is finer covers all of it.
        SELECT sum(b.amount) INTO used
        FROM (VALUES
            (0::bigint, '-infinity'::timestamptz, 'infinity'::timestamptz, p_window_start IS NULL AND p_window_end IS NULL),
            (3, first, CASE WHEN first_hour > last_hour THEN last ELSE first_hour END, true),
            (3, last_hour, last, first_hour <= last_hour),
            (2, first_hour, CASE WHEN first_day > last_day THEN last_hour ELSE first_day END, first_hour <= last_hour),
            (2, last_day, last_hour, first_day <= last_day),
            (1, first_day, last_day, first_day <= last_day)
        ) AS s (granularity, first, end_before, is_needed)
        JOIN usage_buckets b ON b.namespace_id = namespace AND b.level_id = p_account_id
            AND b.resource_type_code = p_resource_type AND b.drawn_for = ''
            AND b.resource_scope = coalesce(p_resource_scope, '') AND b.granularity = s.granularity
            AND b.bucket_start >= s.first AND b.bucket_start < s.end_before
        WHERE s.is_needed
            AND (s.granularity = 0) = (p_window_start IS NULL AND p_window_end IS NULL);
    END IF;
    RETURN half_even(coalesce(used, 0), factor);
END $$;

REVOKE ALL ON SCHEMA api FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA api, mec FROM PUBLIC;
GRANT USAGE ON SCHEMA api TO mec_anon, mec_user, mec_service, mec_admin;
GRANT SELECT ON ALL TABLES IN SCHEMA api TO mec_user, mec_service, mec_admin;
GRANT SELECT ON api.plans, api.account_types, api.units, api.limit_kinds, api.window_types, api.limit_actions
    TO mec_anon;
GRANT EXECUTE ON FUNCTION json_or_null(text), half_even(numeric, bigint),
    api.get_usage(uuid, text, text, timestamptz, timestamptz, boolean) TO mec_user, mec_service, mec_admin;
