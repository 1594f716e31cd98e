//! What the database does not let happen, whoever asks: each attempt is made as its superuser.

use mec_test_postgres::Server;

use super::world;

const OWNER: &str = "'00000000-0000-0000-0000-000000000010'";
const USER: &str = "'00000000-0000-0000-0000-000000000030'";

/// Each is refused with the sentence.
fn refused(database: &str, sentence: &str, attempts: &[String]) {
    for sql in attempts {
        let sql = format!("SET search_path = mec; {sql}");
        let said = Server::shared().psql(database, &sql).unwrap_err();
        assert!(said.to_string().contains(sentence), "{sql}: {said}");
    }
}

/// Each is done.
fn done(database: &str, sql: &str) -> String {
    let sql = format!("SET search_path = mec; {sql}");
    Server::shared().psql(database, &sql).unwrap()
}

/// An event of now, whose id says so.
const EVENT_OF_NOW: &str = "
    INSERT INTO consumption_ledger
    SELECT namespace_id, (lpad(to_hex((extract(epoch FROM now()) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid,
        idempotency_key, account_id, resource_type_code, resource_scope, quantity, unit_code, occurred_at, period_start,
        period_end, is_correction, corrects_event_id, created_at, owner_account_id, recorded_under, chain_id, 2,
        chain_hash
    FROM consumption_ledger LIMIT 1;";

#[test]
fn an_event_lands_in_the_partition_of_its_month() {
    let database = world();
    done(&database, EVENT_OF_NOW);
    let place = "SELECT tableoid::regclass = to_regclass('consumption_ledger_' || to_char(now(), 'YYYY_MM'))
        FROM consumption_ledger WHERE chain_seq = 2";
    assert_eq!(done(&database, place), "t");
}

#[test]
fn what_is_recorded_is_never_changed_nor_removed() {
    let database = world();
    done(&database, EVENT_OF_NOW);
    let month = done(
        &database,
        "SELECT 'consumption_ledger_' || to_char(now(), 'YYYY_MM')",
    );
    let tables = [
        ("consumption_ledger", "unit_code"),
        ("consumption_ledger_rest", "unit_code"),
        (month.as_str(), "unit_code"),
        ("consumption_event_details", "detail_value"),
        ("entitlements_audit", "changed_by"),
        ("control_decisions_log", "code"),
    ];
    for (table, column) in tables {
        let attempts = [
            format!("UPDATE {table} SET {column} = {column}"),
            format!("DELETE FROM {table}"),
            format!("TRUNCATE {table}"),
            format!(
                "INSERT INTO {table} SELECT * FROM {table} LIMIT 1 ON CONFLICT DO NOTHING; DELETE FROM {table}"
            ),
        ];
        refused(&database, "append-only", &attempts);
    }
    let attempts = [
        "TRUNCATE accounts CASCADE".to_owned(),
        "TRUNCATE units CASCADE".to_owned(),
    ];
    refused(&database, "append-only", &attempts);
}

#[test]
fn retention_opens_its_door_only_for_what_is_old_and_only_for_a_transaction() {
    let database = world();
    for (door, table, column) in [
        (
            "decisions_drop_before",
            "control_decisions_log",
            "decided_at",
        ),
        ("audit_drop_before", "entitlements_audit", "changed_at"),
    ] {
        let open = |when: &str| {
            format!(
                "BEGIN; UPDATE store_meta SET value = (extract(epoch FROM {when}) * 1000000)::bigint
                 WHERE name = '{door}';"
            )
        };
        let old = "now() - interval '1 day'";
        let young = "now() + interval '1 day'";
        let shut = format!("UPDATE store_meta SET value = 0 WHERE name = '{door}'; COMMIT;");
        let delete = format!("DELETE FROM {table};");
        let count = format!("SELECT count(*) FROM {table}");
        refused(
            &database,
            "append-only",
            &[
                format!("{} {delete} {shut}", open(old)),
                format!(
                    "{} UPDATE {table} SET {column} = {column}; {shut}",
                    open(young)
                ),
                format!("{} TRUNCATE {table}; {shut}", open(young)),
                format!("{} {shut} {delete}", open(young)),
            ],
        );
        let left_open = [
            format!("{} {delete} COMMIT;", open(young)),
            format!("{} COMMIT;", open(old)),
        ];
        refused(&database, "was not put back to 0", &left_open);
        assert_eq!(done(&database, &count), "4");
        done(&database, &format!("{} {delete} {shut}", open(young)));
        assert_eq!(done(&database, &count), "0");
    }
}

#[test]
fn accounts_form_trees_of_those_that_may_have_children() {
    let database = world();
    done(
        &database,
        "INSERT INTO account_types VALUES ('person', '', false)",
    );
    let person = |parent: &str| {
        format!(
            "INSERT INTO accounts (namespace_id, account_id, account_type_code, parent_account_id, owner_account_id,
                metadata, status, created_at, updated_at)
             VALUES ('default', gen_random_uuid(), 'person', {parent}, {OWNER}, '{{}}', 'active', now(), now())"
        )
    };
    done(&database, &person(USER));
    let one = "(SELECT account_id FROM accounts WHERE account_type_code = 'person')";
    refused(
        &database,
        "cannot stand below",
        &[
            format!(
                "UPDATE accounts SET parent_account_id = account_id WHERE account_id = {OWNER}"
            ),
            format!("UPDATE accounts SET parent_account_id = {USER} WHERE account_id = {OWNER}"),
            person(one),
            format!(
                "UPDATE accounts SET parent_account_id = {one} WHERE account_id::text LIKE '%40'"
            ),
        ],
    );
}

#[test]
fn a_unit_is_one_that_the_resource_type_allows() {
    let database = world();
    done(
        &database,
        "INSERT INTO units VALUES ('tokens', '', '', 0, 'tokens', 1)",
    );
    refused(&database, "does not allow the unit tokens", &[
        EVENT_OF_NOW.replace(" unit_code,", " 'tokens',"),
        "INSERT INTO grants
         SELECT namespace_id, gen_random_uuid(), account_id, resource_type_code, resource_scope, window_type_code,
            quantity, 'tokens', remaining, priority, expires_at, reason, voided_at, created_at
         FROM grants LIMIT 1"
            .to_owned(),
        "UPDATE entitlements SET unit_code = 'tokens'".to_owned(),
    ]);
}

#[test]
fn an_event_is_of_an_account_that_exists_and_that_never_goes() {
    let database = world();
    let nobody = EVENT_OF_NOW.replace(" account_id,", " gen_random_uuid(),");
    refused(&database, "does not exist", &[nobody]);
    let elsewhere = EVENT_OF_NOW.replace("SELECT namespace_id,", "SELECT 'elsewhere',");
    refused(&database, "does not exist", &[elsewhere]);
    let unknown = EVENT_OF_NOW.replace(" unit_code,", " 'parsecs',");
    refused(&database, "does not allow the unit parsecs", &[unknown]);
    let attempts = [
        "DELETE FROM accounts WHERE account_id::text LIKE '%40'".to_owned(),
        "TRUNCATE accounts CASCADE".to_owned(),
        "DELETE FROM recorded_units".to_owned(),
        "TRUNCATE recorded_units".to_owned(),
    ];
    refused(&database, "append-only", &attempts);
    done(&database, EVENT_OF_NOW);
}

#[test]
fn no_entitlement_changes_without_its_audit() {
    let database = world();
    let audit = "INSERT INTO entitlements_audit (namespace_id, audit_id, entitlement_id, operation, changed_by, changed_at)
        SELECT namespace_id, gen_random_uuid(), entitlement_id, 'UPDATE', 'me', now() FROM entitlements";
    let update = "UPDATE entitlements SET quantity_allowed = 6, version = version + 1";
    refused(
        &database,
        "changed without an audit",
        &[
            update.to_owned(),
            "DELETE FROM entitlement_conditions; DELETE FROM entitlements".to_owned(),
            format!("BEGIN; {audit}; COMMIT; BEGIN; {update}; COMMIT"),
            format!("BEGIN; {audit} WHERE account_id = {OWNER}; {update}; COMMIT"),
        ],
    );
    done(&database, &format!("BEGIN; {update}; {audit}; COMMIT"));
}

#[test]
fn what_is_in_use_of_the_lookups_changes_only_its_description() {
    let database = world();
    refused(
        &database,
        "is in use",
        &[
            "UPDATE units SET base_factor = 61 WHERE unit_code = 'hours'".to_owned(),
            "UPDATE units SET scale = 5 WHERE unit_code = 'minutes'".to_owned(),
            "DELETE FROM units WHERE unit_code = 'hours'".to_owned(),
            "UPDATE window_types SET period_count = 2 WHERE window_type_code = 'month'".to_owned(),
            "DELETE FROM window_types".to_owned(),
            "UPDATE account_types SET can_have_children = false".to_owned(),
            "DELETE FROM account_types".to_owned(),
        ],
    );
    for table in ["units", "window_types", "account_types"] {
        done(
            &database,
            &format!("UPDATE {table} SET description = 'new'"),
        );
    }
    done(&database, "INSERT INTO units VALUES ('days', '', '', 0, 'minutes', 1440);
        UPDATE units SET base_factor = 1441 WHERE unit_code = 'days'; DELETE FROM units WHERE unit_code = 'days'");
}
