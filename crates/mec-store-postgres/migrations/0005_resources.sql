-- What the resources of the API need: the service reads as its callers, and the ledger is paged by time.

SET LOCAL search_path TO mec, pg_temp;

-- The service becomes one of these for the length of a transaction. It inherits nothing of them.
GRANT mec_anon, mec_user, mec_service, mec_admin TO mec_engine;
-- To prepare a statement the names in it must be known; what it reads is the caller's to read.
GRANT USAGE ON SCHEMA api TO mec_engine;

-- What the resources are paged by. Where no account is named, events are told in the order of their time;
-- else in that of the account's. Accounts take turns, so that each index by account costs a write a page: one
-- serves pages and sums, which pass over the account's other resources within it.
CREATE INDEX consumption_ledger_by_time ON consumption_ledger (namespace_id, occurred_at, event_id);
DROP INDEX consumption_ledger_by_account;
CREATE INDEX consumption_ledger_by_account
    ON consumption_ledger (namespace_id, account_id, occurred_at, event_id, resource_type_code);

-- Decisions come from four places, each of which tells those of an account in the order of their time. A
-- granted consume, reserve or acquire is read from its own durable record, and happened when it was decided;
-- the rest was logged.

CREATE INDEX control_decisions_log_by_account
    ON control_decisions_log (namespace_id, account_id, decided_at, decision_id);
CREATE INDEX reservations_by_account ON reservations (namespace_id, account_id, created_at, reservation_id);
CREATE INDEX concurrency_leases_by_account ON concurrency_leases (namespace_id, account_id, created_at, lease_id);
CREATE INDEX idempotency_keys_answered_by_event ON idempotency_keys (namespace_id, event_id) WHERE answer IS NOT NULL;

CREATE VIEW decisions_logged WITH (security_invoker = true) AS
SELECT namespace_id, decision_id, account_id, resource_type_code, resource_scope, requested_quantity, unit_code,
    decision, code, reason, rule_id, entitlement_id, usage_at_decision, limit_at_decision, percent_used, request_id,
    decided_at
FROM control_decisions_log;

CREATE VIEW decisions_of_consume WITH (security_invoker = true) AS
SELECT namespace_id, decision_id, account_id, resource_type_code, resource_scope, requested_quantity, unit_code,
    answer ->> 'decision' AS decision, answer ->> 'code' AS code, answer ->> 'reason' AS reason,
    (answer ->> 'rule_id')::uuid AS rule_id, (answer ->> 'entitlement_id')::uuid AS entitlement_id,
    (answer ->> 'quantity_used')::numeric AS usage_at_decision,
    (answer ->> 'quantity_allowed')::numeric AS limit_at_decision,
    (answer ->> 'percent_used')::numeric AS percent_used, NULL::text AS request_id, decided_at
FROM (
    SELECT l.namespace_id, l.event_id AS decision_id, l.account_id, l.resource_type_code, l.resource_scope,
        l.quantity AS requested_quantity, l.unit_code, json_or_null(k.answer) AS answer, l.occurred_at AS decided_at
    FROM consumption_ledger l
    JOIN idempotency_keys k ON k.namespace_id = l.namespace_id AND k.event_id = l.event_id
    WHERE k.rpc = 'consume' AND k.answer IS NOT NULL
) AS d
WHERE answer IS NOT NULL;

CREATE VIEW decisions_of_reserve WITH (security_invoker = true) AS
SELECT namespace_id, decision_id, account_id, resource_type_code, resource_scope, requested_quantity, unit_code,
    answer ->> 'decision' AS decision, answer ->> 'code' AS code, answer ->> 'reason' AS reason,
    (answer ->> 'rule_id')::uuid AS rule_id, (answer ->> 'entitlement_id')::uuid AS entitlement_id,
    (answer ->> 'quantity_used')::numeric AS usage_at_decision,
    (answer ->> 'quantity_allowed')::numeric AS limit_at_decision,
    (answer ->> 'percent_used')::numeric AS percent_used, NULL::text AS request_id, decided_at
FROM (
    SELECT r.namespace_id, r.reservation_id AS decision_id, r.account_id, r.resource_type_code, r.resource_scope,
        r.quantity AS requested_quantity, r.unit_code, json_or_null(k.answer) AS answer, r.created_at AS decided_at
    FROM reservations r
    JOIN idempotency_keys k ON k.namespace_id = r.namespace_id AND k.event_id = r.reservation_id
    WHERE k.rpc = 'reserve' AND k.answer IS NOT NULL
) AS d
WHERE answer IS NOT NULL;

CREATE VIEW decisions_of_acquire WITH (security_invoker = true) AS
SELECT namespace_id, decision_id, account_id, resource_type_code, resource_scope, requested_quantity, unit_code,
    answer ->> 'decision' AS decision, answer ->> 'code' AS code, answer ->> 'reason' AS reason,
    (answer ->> 'rule_id')::uuid AS rule_id, (answer ->> 'entitlement_id')::uuid AS entitlement_id,
    (answer ->> 'quantity_used')::numeric AS usage_at_decision,
    (answer ->> 'quantity_allowed')::numeric AS limit_at_decision,
    (answer ->> 'percent_used')::numeric AS percent_used, NULL::text AS request_id, decided_at
FROM (
    SELECT namespace_id, lease_id AS decision_id, account_id, resource_type_code, resource_scope,
        slots::numeric AS requested_quantity, NULL::text AS unit_code, json_or_null(decision) AS answer,
        created_at AS decided_at
    FROM concurrency_leases
) AS d
WHERE answer IS NOT NULL;

CREATE OR REPLACE VIEW api.control_decisions WITH (security_invoker = true) AS
SELECT namespace_id, decision_id, account_id, resource_type_code, resource_scope, requested_quantity, unit_code,
    decision, code, reason, rule_id, entitlement_id, usage_at_decision, limit_at_decision, percent_used, request_id,
    decided_at
FROM decisions_logged
UNION ALL
SELECT namespace_id, decision_id, account_id, resource_type_code, resource_scope, requested_quantity, unit_code,
    decision, code, reason, rule_id, entitlement_id, usage_at_decision, limit_at_decision, percent_used, request_id,
    decided_at
FROM decisions_of_consume
UNION ALL
SELECT namespace_id, decision_id, account_id, resource_type_code, resource_scope, requested_quantity, unit_code,
    decision, code, reason, rule_id, entitlement_id, usage_at_decision, limit_at_decision, percent_used, request_id,
    decided_at
FROM decisions_of_reserve
UNION ALL
SELECT namespace_id, decision_id, account_id, resource_type_code, resource_scope, requested_quantity, unit_code,
    decision, code, reason, rule_id, entitlement_id, usage_at_decision, limit_at_decision, percent_used, request_id,
    decided_at
FROM decisions_of_acquire;
GRANT SELECT ON decisions_logged, decisions_of_consume, decisions_of_reserve, decisions_of_acquire
    TO mec_user, mec_service, mec_admin;
