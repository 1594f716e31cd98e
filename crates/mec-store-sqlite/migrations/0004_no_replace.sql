-- The rest of the append-only guard: INSERT OR REPLACE deletes the row that is in its way, and SQLite
-- fires no trigger for that unless triggers may recurse, which each connection sets for itself.

CREATE TRIGGER consumption_ledger_no_replace BEFORE INSERT ON consumption_ledger
WHEN EXISTS (SELECT 1 FROM consumption_ledger WHERE namespace_id = NEW.namespace_id AND event_id = NEW.event_id)
BEGIN SELECT RAISE(ABORT, 'consumption_ledger is append-only'); END;

CREATE TRIGGER consumption_event_details_no_replace BEFORE INSERT ON consumption_event_details
WHEN EXISTS (SELECT 1 FROM consumption_event_details WHERE namespace_id = NEW.namespace_id AND event_id = NEW.event_id AND detail_key = NEW.detail_key)
BEGIN SELECT RAISE(ABORT, 'consumption_event_details is append-only'); END;

CREATE TRIGGER entitlements_audit_no_replace BEFORE INSERT ON entitlements_audit
WHEN EXISTS (SELECT 1 FROM entitlements_audit WHERE namespace_id = NEW.namespace_id AND audit_id = NEW.audit_id)
BEGIN SELECT RAISE(ABORT, 'entitlements_audit is append-only'); END;

CREATE TRIGGER control_decisions_log_no_replace BEFORE INSERT ON control_decisions_log
WHEN EXISTS (SELECT 1 FROM control_decisions_log WHERE namespace_id = NEW.namespace_id AND decision_id = NEW.decision_id)
BEGIN SELECT RAISE(ABORT, 'control_decisions_log is append-only'); END;
