SELECT w.table_name, w.trigger_name
FROM (VALUES
    ('consumption_ledger', 'append_only'), ('consumption_ledger', 'no_truncate'),
    ('consumption_event_details', 'append_only'), ('consumption_event_details', 'no_truncate'),
    ('entitlements_audit', 'append_only'), ('entitlements_audit', 'kept'), ('entitlements_audit', 'no_truncate'),
    ('control_decisions_log', 'append_only'), ('control_decisions_log', 'kept'),
    ('control_decisions_log', 'no_truncate')
) AS w (table_name, trigger_name)
WHERE NOT EXISTS (
    SELECT FROM pg_trigger t
    WHERE t.tgrelid = to_regclass('mec.' || w.table_name) AND t.tgname = w.trigger_name AND t.tgenabled = 'O'
)
UNION ALL
SELECT c.relname::text, w.trigger_name
FROM pg_inherits i
JOIN pg_class c ON c.oid = i.inhrelid
CROSS JOIN (VALUES ('append_only'), ('no_truncate')) AS w (trigger_name)
WHERE i.inhparent = to_regclass('mec.consumption_ledger') AND NOT EXISTS (
    SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgname = w.trigger_name AND t.tgenabled = 'O'
)
LIMIT 1
