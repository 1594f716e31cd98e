WITH wanted (table_name, trigger_name, function_name, kind) AS (
    -- The kind is PostgreSQL's sum of 1 for each row, 2 before, 8 delete, 16 update, 32 truncate.
    VALUES
        ('consumption_ledger', 'append_only', 'refuse_change', 27),
        ('consumption_ledger', 'no_truncate', 'refuse_change', 34),
        ('consumption_event_details', 'append_only', 'refuse_change', 27),
        ('consumption_event_details', 'no_truncate', 'refuse_change', 34),
        ('entitlements_audit', 'append_only', 'refuse_change', 19),
        ('entitlements_audit', 'kept', 'refuse_young', 11),
        ('entitlements_audit', 'no_truncate', 'refuse_change', 34),
        ('control_decisions_log', 'append_only', 'refuse_change', 19),
        ('control_decisions_log', 'kept', 'refuse_young', 11),
        ('control_decisions_log', 'no_truncate', 'refuse_change', 34),
        ('accounts', 'kept', 'refuse_change', 11),
        ('accounts', 'no_truncate', 'refuse_change', 34),
        ('recorded_units', 'append_only', 'refuse_change', 27),
        ('recorded_units', 'no_truncate', 'refuse_change', 34)
), tables (table_name, id) AS (
    SELECT DISTINCT table_name, to_regclass('mec.' || table_name)::oid FROM wanted
    UNION ALL
    SELECT 'consumption_ledger', i.inhrelid FROM pg_inherits i
    WHERE i.inhparent = to_regclass('mec.consumption_ledger')
)
SELECT coalesce(c.relname::text, w.table_name), w.trigger_name
FROM wanted w
JOIN tables n ON n.table_name = w.table_name
LEFT JOIN pg_class c ON c.oid = n.id
WHERE NOT EXISTS (
    SELECT FROM pg_trigger t
    JOIN pg_proc p ON p.oid = t.tgfoid
    WHERE t.tgrelid = n.id AND t.tgname = w.trigger_name AND t.tgenabled = 'O' AND t.tgtype = w.kind
        AND t.tgqual IS NULL AND t.tgattr = ''::int2vector AND p.proname = w.function_name
        AND p.pronamespace = to_regnamespace('mec') AND p.prosrc LIKE '%is append-only%'
)
LIMIT 1
