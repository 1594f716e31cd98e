-- The guard of what is only ever appended to. SQLite has no TRUNCATE; a DELETE without a condition
-- fires these triggers for every row, as the optimisation for it is off where triggers stand.

CREATE TRIGGER consumption_ledger_no_update BEFORE UPDATE ON consumption_ledger
BEGIN SELECT RAISE(ABORT, 'consumption_ledger is append-only'); END;
CREATE TRIGGER consumption_ledger_no_delete BEFORE DELETE ON consumption_ledger
BEGIN SELECT RAISE(ABORT, 'consumption_ledger is append-only'); END;

CREATE TRIGGER consumption_event_details_no_update BEFORE UPDATE ON consumption_event_details
BEGIN SELECT RAISE(ABORT, 'consumption_event_details is append-only'); END;
CREATE TRIGGER consumption_event_details_no_delete BEFORE DELETE ON consumption_event_details
BEGIN SELECT RAISE(ABORT, 'consumption_event_details is append-only'); END;

CREATE TRIGGER entitlements_audit_no_update BEFORE UPDATE ON entitlements_audit
BEGIN SELECT RAISE(ABORT, 'entitlements_audit is append-only'); END;
CREATE TRIGGER entitlements_audit_no_delete BEFORE DELETE ON entitlements_audit
BEGIN SELECT RAISE(ABORT, 'entitlements_audit is append-only'); END;

CREATE TRIGGER control_decisions_log_no_update BEFORE UPDATE ON control_decisions_log
BEGIN SELECT RAISE(ABORT, 'control_decisions_log is append-only'); END;
CREATE TRIGGER control_decisions_log_no_delete BEFORE DELETE ON control_decisions_log
BEGIN SELECT RAISE(ABORT, 'control_decisions_log is append-only'); END;
