-- The rows that all namespaces share may be changed, but for those in use: of them the description alone.

INSERT INTO store_meta (name, value) VALUES ('lookups_version', 1);

-- The units in which anything was ever recorded. The ledger itself has no index of them, and a resource
-- type may have ceased to allow one long ago.
CREATE TABLE recorded_units (
    unit_code TEXT NOT NULL PRIMARY KEY REFERENCES units
) STRICT, WITHOUT ROWID;

INSERT INTO recorded_units (unit_code)
SELECT unit_code FROM consumption_ledger
UNION
SELECT unit_code FROM reservations;

CREATE TRIGGER consumption_ledger_notes_unit AFTER INSERT ON consumption_ledger
WHEN NOT EXISTS (SELECT 1 FROM recorded_units WHERE unit_code = NEW.unit_code)
BEGIN INSERT INTO recorded_units (unit_code) VALUES (NEW.unit_code); END;
CREATE TRIGGER reservations_note_unit AFTER INSERT ON reservations
WHEN NOT EXISTS (SELECT 1 FROM recorded_units WHERE unit_code = NEW.unit_code)
BEGIN INSERT INTO recorded_units (unit_code) VALUES (NEW.unit_code); END;

CREATE TRIGGER recorded_units_no_update BEFORE UPDATE ON recorded_units
BEGIN SELECT RAISE(ABORT, 'recorded_units is append-only'); END;
CREATE TRIGGER recorded_units_no_delete BEFORE DELETE ON recorded_units
BEGIN SELECT RAISE(ABORT, 'recorded_units is append-only'); END;

CREATE VIEW units_named AS
SELECT default_unit_code AS unit_code FROM resource_types
UNION ALL SELECT unit_code FROM resource_type_allowed_units
UNION ALL SELECT unit_code FROM plan_entitlement_templates
UNION ALL SELECT unit_code FROM entitlements
UNION ALL SELECT unit_code FROM grants
UNION ALL SELECT unit_code FROM recorded_units;

CREATE VIEW units_in_use AS
SELECT unit_code FROM units_named
UNION ALL
SELECT u.base_unit_code FROM units u
WHERE EXISTS (SELECT 1 FROM units_named n WHERE n.unit_code = u.unit_code);

CREATE VIEW window_types_in_use AS
SELECT window_type_code FROM plan_entitlement_templates
UNION ALL SELECT window_type_code FROM entitlements
UNION ALL SELECT window_type_code FROM grants;

CREATE TRIGGER units_no_update_in_use BEFORE UPDATE ON units
WHEN (OLD.unit_code, OLD.unit_category, OLD.scale, OLD.base_unit_code, OLD.base_factor)
    IS NOT (NEW.unit_code, NEW.unit_category, NEW.scale, NEW.base_unit_code, NEW.base_factor)
    AND EXISTS (SELECT 1 FROM units_in_use WHERE unit_code = OLD.unit_code)
BEGIN SELECT RAISE(ABORT, 'a unit in use changes only its description'); END;
CREATE TRIGGER units_no_delete_in_use BEFORE DELETE ON units
WHEN EXISTS (SELECT 1 FROM units_in_use WHERE unit_code = OLD.unit_code)
BEGIN SELECT RAISE(ABORT, 'a unit in use stays'); END;
CREATE TRIGGER units_no_replace_in_use BEFORE INSERT ON units
WHEN EXISTS (SELECT 1 FROM units_in_use WHERE unit_code = NEW.unit_code)
BEGIN SELECT RAISE(ABORT, 'a unit in use changes only its description'); END;

CREATE TRIGGER window_types_no_update_in_use BEFORE UPDATE ON window_types
WHEN (OLD.window_type_code, OLD.mode, OLD.period_unit, OLD.period_count)
    IS NOT (NEW.window_type_code, NEW.mode, NEW.period_unit, NEW.period_count)
    AND EXISTS (SELECT 1 FROM window_types_in_use WHERE window_type_code = OLD.window_type_code)
BEGIN SELECT RAISE(ABORT, 'a window type in use changes only its description'); END;
CREATE TRIGGER window_types_no_delete_in_use BEFORE DELETE ON window_types
WHEN EXISTS (SELECT 1 FROM window_types_in_use WHERE window_type_code = OLD.window_type_code)
BEGIN SELECT RAISE(ABORT, 'a window type in use stays'); END;
CREATE TRIGGER window_types_no_replace_in_use BEFORE INSERT ON window_types
WHEN EXISTS (SELECT 1 FROM window_types_in_use WHERE window_type_code = NEW.window_type_code)
BEGIN SELECT RAISE(ABORT, 'a window type in use changes only its description'); END;

CREATE TRIGGER account_types_no_update_in_use BEFORE UPDATE ON account_types
WHEN (OLD.account_type_code, OLD.can_have_children) IS NOT (NEW.account_type_code, NEW.can_have_children)
    AND EXISTS (SELECT 1 FROM accounts WHERE account_type_code = OLD.account_type_code)
BEGIN SELECT RAISE(ABORT, 'an account type in use changes only its description'); END;
CREATE TRIGGER account_types_no_delete_in_use BEFORE DELETE ON account_types
WHEN EXISTS (SELECT 1 FROM accounts WHERE account_type_code = OLD.account_type_code)
BEGIN SELECT RAISE(ABORT, 'an account type in use stays'); END;
CREATE TRIGGER account_types_no_replace_in_use BEFORE INSERT ON account_types
WHEN EXISTS (SELECT 1 FROM accounts WHERE account_type_code = NEW.account_type_code)
BEGIN SELECT RAISE(ABORT, 'an account type in use changes only its description'); END;
