-- What the contract serves under other names, and what a person reads with sqlite3.

CREATE VIEW consumption AS
SELECT namespace_id, event_id, idempotency_key, account_id, resource_type_code, resource_scope, quantity,
       unit_code, occurred_at, period_start, period_end, is_correction, corrects_event_id, created_at,
       owner_account_id, chain_id, chain_seq, chain_hash
FROM consumption_ledger;

-- A granted consume, reserve or acquire is read from its own durable record; the rest was logged.
CREATE VIEW control_decisions AS
SELECT namespace_id, decision_id, account_id, resource_type_code, resource_scope, requested_quantity,
       unit_code, decision, code, reason, rule_id, entitlement_id, usage_at_decision, limit_at_decision,
       percent_used, request_id, decided_at
FROM control_decisions_log
UNION ALL
SELECT k.namespace_id, k.event_id, l.account_id, l.resource_type_code, l.resource_scope, l.quantity,
       l.unit_code, k.answer ->> '$.decision', k.answer ->> '$.code', k.answer ->> '$.reason',
       unhex(k.answer ->> '$.rule_id', '-'), unhex(k.answer ->> '$.entitlement_id', '-'),
       nullif(k.answer -> '$.quantity_used', 'null'), nullif(k.answer -> '$.quantity_allowed', 'null'),
       nullif(k.answer -> '$.percent_used', 'null'), NULL, k.created_at
FROM idempotency_keys k
JOIN consumption_ledger l ON l.namespace_id = k.namespace_id AND l.event_id = k.event_id
WHERE k.rpc = 'consume' AND k.answer IS NOT NULL
UNION ALL
SELECT k.namespace_id, k.event_id, r.account_id, r.resource_type_code, r.resource_scope, r.quantity,
       r.unit_code, k.answer ->> '$.decision', k.answer ->> '$.code', k.answer ->> '$.reason',
       unhex(k.answer ->> '$.rule_id', '-'), unhex(k.answer ->> '$.entitlement_id', '-'),
       nullif(k.answer -> '$.quantity_used', 'null'), nullif(k.answer -> '$.quantity_allowed', 'null'),
       nullif(k.answer -> '$.percent_used', 'null'), NULL, k.created_at
FROM idempotency_keys k
JOIN reservations r ON r.namespace_id = k.namespace_id AND r.reservation_id = k.event_id
WHERE k.rpc = 'reserve' AND k.answer IS NOT NULL
UNION ALL
SELECT namespace_id, lease_id, account_id, resource_type_code, resource_scope, slots * 1000000,
       NULL, decision ->> '$.decision', decision ->> '$.code', decision ->> '$.reason',
       unhex(decision ->> '$.rule_id', '-'), unhex(decision ->> '$.entitlement_id', '-'),
       nullif(decision -> '$.quantity_used', 'null'), nullif(decision -> '$.quantity_allowed', 'null'),
       nullif(decision -> '$.percent_used', 'null'), NULL, created_at
FROM concurrency_leases
WHERE json_valid(decision);

CREATE VIEW active_entitlements AS
WITH clock (now) AS (
    SELECT CAST(strftime('%s', 'now') AS INTEGER) * 1000000 + CAST(substr(strftime('%f', 'now'), 4) AS INTEGER) * 1000
)
SELECT e.*, a.display_name AS account_name, a.parent_account_id, p.plan_name
FROM clock
CROSS JOIN entitlements e
JOIN accounts a ON a.namespace_id = e.namespace_id AND a.account_id = e.account_id
LEFT JOIN plans p ON p.namespace_id = e.namespace_id AND p.plan_id = e.plan_id
WHERE e.status = 'active' AND e.effective_start <= clock.now
  AND (e.effective_end IS NULL OR clock.now < e.effective_end);

CREATE VIEW active_leases AS
WITH clock (now) AS (
    SELECT CAST(strftime('%s', 'now') AS INTEGER) * 1000000 + CAST(substr(strftime('%f', 'now'), 4) AS INTEGER) * 1000
)
SELECT l.namespace_id, l.lease_id, l.account_id, l.resource_type_code, l.resource_scope, l.slots, l.fencing_token,
       l.acquired_at, l.expires_at, l.last_heartbeat, l.session_token, l.session_metadata, l.created_at,
       a.display_name AS account_name, (l.expires_at - clock.now) / 1000000 AS seconds_until_expiry
FROM clock
CROSS JOIN concurrency_leases l
JOIN accounts a ON a.namespace_id = l.namespace_id AND a.account_id = l.account_id
WHERE l.released_at IS NULL AND l.expires_at > clock.now;

CREATE VIEW account_hierarchy AS
SELECT a.namespace_id, a.account_id, a.account_type_code, a.parent_account_id, a.external_id, a.display_name,
       a.status, a.owner_account_id, o.display_name AS owner_display_name
FROM accounts a
LEFT JOIN accounts o ON o.namespace_id = a.namespace_id AND o.account_id = a.owner_account_id;

-- For a person: every bucket of every counter, in decimals of the base unit.
CREATE VIEW usage AS
SELECT c.namespace_id,
       lower(substr(hex(c.level_id), 1, 8) || '-' || substr(hex(c.level_id), 9, 4) || '-'
             || substr(hex(c.level_id), 13, 4) || '-' || substr(hex(c.level_id), 17, 4) || '-'
             || substr(hex(c.level_id), 21)) AS account_id,
       c.resource_type_code,
       nullif(c.resource_scope, '') AS resource_scope,
       nullif(c.drawn_for, '') AS drawn_for,
       CASE b.granularity WHEN 0 THEN 'total' WHEN 1 THEN 'day' WHEN 2 THEN 'hour' ELSE 'minute' END AS granularity,
       CASE WHEN b.granularity > 0 THEN datetime(b.bucket_start / 1000000, 'unixepoch') END AS bucket_start,
       CASE
           WHEN b.micros = 0 THEN CAST(b.whole AS TEXT)
           WHEN b.whole >= 0 THEN b.whole || '.' || rtrim(printf('%06d', b.micros), '0')
           ELSE '-' || -(b.whole + 1) || '.' || rtrim(printf('%06d', 1000000 - b.micros), '0')
       END AS quantity
FROM usage_buckets b
JOIN usage_counters c ON c.counter_id = b.counter_id;
