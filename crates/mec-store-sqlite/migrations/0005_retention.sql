-- The logs are append-only but for what retention drops: rows older than a moment that is set for the
-- length of its transaction, and is 0 at all other times. The ledger has no such moment.

INSERT INTO store_meta (name, value) VALUES ('decisions_drop_before', 0), ('audit_drop_before', 0), ('answers_dropped_to', 0);

DROP TRIGGER entitlements_audit_no_delete;
CREATE TRIGGER entitlements_audit_no_delete BEFORE DELETE ON entitlements_audit
WHEN OLD.changed_at >= (SELECT value FROM store_meta WHERE name = 'audit_drop_before')
BEGIN SELECT RAISE(ABORT, 'entitlements_audit is append-only'); END;

DROP TRIGGER control_decisions_log_no_delete;
CREATE TRIGGER control_decisions_log_no_delete BEFORE DELETE ON control_decisions_log
WHEN OLD.decided_at >= (SELECT value FROM store_meta WHERE name = 'decisions_drop_before')
BEGIN SELECT RAISE(ABORT, 'control_decisions_log is append-only'); END;
