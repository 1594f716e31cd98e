-- What the resources of the API are paged by. Where no account is named, events are told in the order of
-- their time; else in that of the account's. Accounts take turns, so that each index by account costs a write
-- a page: one serves pages and sums, which pass over the account's other resources within it.

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

CREATE VIEW decisions_logged AS
SELECT namespace_id, decision_id, account_id, resource_type_code, resource_scope, requested_quantity,
       unit_code, decision, code, reason, rule_id, entitlement_id, usage_at_decision, limit_at_decision,
       percent_used, request_id, decided_at
FROM control_decisions_log;

CREATE VIEW decisions_of_consume AS
SELECT l.namespace_id, l.event_id AS decision_id, l.account_id, l.resource_type_code, l.resource_scope,
       l.quantity AS requested_quantity, l.unit_code, k.answer ->> '$.decision' AS decision,
       k.answer ->> '$.code' AS code, k.answer ->> '$.reason' AS reason,
       unhex(k.answer ->> '$.rule_id', '-') AS rule_id,
       unhex(k.answer ->> '$.entitlement_id', '-') AS entitlement_id,
       nullif(k.answer -> '$.quantity_used', 'null') AS usage_at_decision,
       nullif(k.answer -> '$.quantity_allowed', 'null') AS limit_at_decision,
       nullif(k.answer -> '$.percent_used', 'null') AS percent_used, NULL AS request_id,
       l.occurred_at AS decided_at
FROM consumption_ledger l
CROSS JOIN idempotency_keys k ON k.namespace_id = l.namespace_id AND k.event_id = l.event_id
WHERE k.rpc = 'consume' AND k.answer IS NOT NULL;

CREATE VIEW decisions_of_reserve AS
SELECT r.namespace_id, r.reservation_id AS decision_id, r.account_id, r.resource_type_code, r.resource_scope,
       r.quantity AS requested_quantity, r.unit_code, k.answer ->> '$.decision' AS decision,
       k.answer ->> '$.code' AS code, k.answer ->> '$.reason' AS reason,
       unhex(k.answer ->> '$.rule_id', '-') AS rule_id,
       unhex(k.answer ->> '$.entitlement_id', '-') AS entitlement_id,
       nullif(k.answer -> '$.quantity_used', 'null') AS usage_at_decision,
       nullif(k.answer -> '$.quantity_allowed', 'null') AS limit_at_decision,
       nullif(k.answer -> '$.percent_used', 'null') AS percent_used, NULL AS request_id,
       r.created_at AS decided_at
FROM reservations r
CROSS JOIN idempotency_keys k ON k.namespace_id = r.namespace_id AND k.event_id = r.reservation_id
WHERE k.rpc = 'reserve' AND k.answer IS NOT NULL;

CREATE VIEW decisions_of_acquire AS
SELECT namespace_id, lease_id AS decision_id, account_id, resource_type_code, resource_scope,
       slots * 1000000 AS requested_quantity, NULL AS unit_code, decision ->> '$.decision' AS decision,
       decision ->> '$.code' AS code, decision ->> '$.reason' AS reason,
       unhex(decision ->> '$.rule_id', '-') AS rule_id,
       unhex(decision ->> '$.entitlement_id', '-') AS entitlement_id,
       nullif(decision -> '$.quantity_used', 'null') AS usage_at_decision,
       nullif(decision -> '$.quantity_allowed', 'null') AS limit_at_decision,
       nullif(decision -> '$.percent_used', 'null') AS percent_used, NULL AS request_id,
       created_at AS decided_at
FROM concurrency_leases
WHERE json_valid(decision);

DROP VIEW control_decisions;
CREATE VIEW control_decisions AS
SELECT * FROM decisions_logged
UNION ALL SELECT * FROM decisions_of_consume
UNION ALL SELECT * FROM decisions_of_reserve
UNION ALL SELECT * FROM decisions_of_acquire;

CREATE INDEX entitlements_audit_by_entitlement ON entitlements_audit (namespace_id, entitlement_id);
CREATE INDEX account_external_ids_by_account ON account_external_ids (namespace_id, account_id);

-- Without figures the planner takes a namespace for ten rows, and reads all of them in the order of their keys to
-- find those of one account. It is told what a large installation holds, so that plans are the same in each.
ANALYZE store_meta;
DELETE FROM sqlite_stat1;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('accounts', 'accounts', '10000000 10000000 1'),
    ('accounts', 'accounts_by_external_id', '10000000 10000000 1'),
    ('accounts', 'accounts_by_parent', '10000000 10000000 10'),
    ('account_external_ids', 'account_external_ids', '100000 100000 1 1'),
    ('account_external_ids', 'account_external_ids_by_account', '100000 100000 1'),
    ('subscriptions', 'subscriptions', '100000 100000 1'),
    ('subscriptions', 'subscriptions_by_account', '100000 100000 2'),
    ('entitlements', 'entitlements', '1000000 1000000 1'),
    ('entitlements', 'entitlements_by_account', '1000000 1000000 10'),
    ('entitlements_audit', 'entitlements_audit', '1000000 1000000 1'),
    ('entitlements_audit', 'entitlements_audit_by_entitlement', '1000000 1000000 3'),
    ('consumption_ledger', 'consumption_ledger', '10000000 10000000 1'),
    ('consumption_ledger', 'consumption_ledger_by_account', '10000000 10000000 1000 1 1 1'),
    ('consumption_ledger', 'consumption_ledger_by_time', '10000000 10000000 2 1'),
    ('consumption_ledger', 'consumption_ledger_by_corrected', '100000 100000 1'),
    ('grants', 'grants', '1000000 1000000 1'),
    ('grants', 'grants_by_account', '1000000 1000000 10 5 5'),
    ('grants', 'grants_open_by_account', '100000 100000 3'),
    ('reservations', 'reservations', '1000000 1000000 1'),
    ('reservations', 'reservations_by_account', '1000000 1000000 100 1 1'),
    ('reservations', 'reservations_open_by_account', '10000 10000 3 1'),
    ('concurrency_leases', 'concurrency_leases', '1000000 1000000 1'),
    ('concurrency_leases', 'concurrency_leases_by_account', '1000000 1000000 100 1 1'),
    ('concurrency_leases', 'concurrency_leases_held_by_account', '10000 10000 3 1'),
    ('control_decisions_log', 'control_decisions_log', '1000000 1000000 1'),
    ('control_decisions_log', 'control_decisions_log_by_account', '1000000 1000000 100 1 1'),
    ('idempotency_keys', 'sqlite_autoindex_idempotency_keys_1', '10000000 10000000 1'),
    ('idempotency_keys', 'idempotency_keys_answered_by_event', '1000000 1000000 1');
ANALYZE sqlite_schema;
