//! That nobody but the service's own role writes, and that no role becomes another.

use mec_test_postgres::Server;

use super::{TEAM, ask, bound, of, transaction, world};

const CALLERS: [&str; 4] = ["mec_anon", "mec_user", "mec_service", "mec_admin"];

#[test]
fn nobody_but_the_service_has_a_right_to_write() {
    let server = Server::shared();
    let database = world();
    let rights = "SELECT r.role, c.oid::regclass, p.wanted
        FROM unnest(ARRAY['public', 'authenticator', 'mec_anon', 'mec_user', 'mec_service', 'mec_admin']) AS r (role)
        CROSS JOIN pg_class c
        CROSS JOIN unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) AS p (wanted)
        WHERE c.relnamespace IN ('mec'::regnamespace, 'api'::regnamespace) AND c.relkind IN ('r', 'p', 'v')
            AND (has_table_privilege(r.role, c.oid, p.wanted)
                OR p.wanted IN ('INSERT', 'UPDATE', 'REFERENCES')
                    AND has_any_column_privilege(r.role, c.oid, p.wanted))";
    assert_eq!(server.psql(&database, rights).unwrap(), "");
    let schemas = "SELECT r.role, n.nspname
        FROM unnest(ARRAY['public', 'authenticator', 'mec_anon', 'mec_user', 'mec_service', 'mec_admin',
            'mec_engine']) AS r (role)
        CROSS JOIN pg_namespace n
        WHERE n.nspname IN ('mec', 'api', 'public') AND has_schema_privilege(r.role, n.oid, 'CREATE')";
    assert_eq!(server.psql(&database, schemas).unwrap(), "");
}

#[test]
fn a_write_is_refused_whatever_the_claims() {
    let database = world();
    let own = "SELECT account_id FROM mec.accounts LIMIT 1";
    for role in CALLERS {
        for claims in [of("default"), of("*")] {
            for sql in [
                "INSERT INTO mec.accounts SELECT * FROM mec.accounts".to_owned(),
                "UPDATE api.accounts SET display_name = ''".to_owned(),
                "DELETE FROM mec.entitlements".to_owned(),
                "DELETE FROM api.consumption".to_owned(),
                "TRUNCATE mec.consumption_ledger".to_owned(),
                "UPDATE mec.store_meta SET value = 1".to_owned(),
                format!("UPDATE mec.usage_buckets SET amount = 0 WHERE level_id IN ({own})"),
                "SELECT mec.make_ledger_partitions(1)".to_owned(),
                "SELECT * FROM mec.consumption_ledger_rest".to_owned(),
                "SELECT recorded_under FROM mec.consumption_ledger".to_owned(),
                "SELECT key FROM mec.idempotency_keys".to_owned(),
            ] {
                let said = ask(&database, role, Some(&claims), &sql).unwrap_err();
                let is_refused =
                    said.contains("permission denied") || said.contains("does not exist");
                assert!(is_refused, "{role}: {sql}: {said}");
            }
        }
    }
}

#[test]
fn the_service_writes_what_its_statements_write_and_no_more() {
    let server = Server::shared();
    let database = world();
    for sql in [
        "UPDATE mec.consumption_ledger SET quantity = 0",
        "DELETE FROM mec.consumption_ledger",
        "DELETE FROM mec.consumption_ledger_rest",
        "SELECT * FROM mec.consumption_ledger_rest",
        "UPDATE mec.consumption_event_details SET detail_value = ''",
        "DELETE FROM mec.consumption_event_details",
        "UPDATE mec.entitlements_audit SET changed_by = ''",
        "UPDATE mec.control_decisions_log SET code = ''",
        "DELETE FROM mec.entitlements",
        "DELETE FROM mec.api_keys",
        "UPDATE mec.api_keys SET role = 'mec_admin'",
        "UPDATE mec.api_keys SET secret_hash = ''",
        "DELETE FROM mec.accounts",
        "DELETE FROM mec.account_types_in_use",
        "DELETE FROM mec.trees",
        "DELETE FROM mec.usage_buckets",
        "INSERT INTO mec.store_meta VALUES ('new', 1)",
        "TRUNCATE mec.writers",
        "CREATE TABLE mec.own (n bigint)",
        "DROP TABLE mec.consumption_ledger_rest",
        "ALTER TABLE mec.consumption_ledger DISABLE TRIGGER append_only",
        "SET session_replication_role = replica",
        // It takes a caller's role to read as that caller, and has none of its rights before that.
        "SELECT * FROM api.accounts",
        "SET ROLE mec_admin; DELETE FROM mec.accounts",
        "SET ROLE postgres",
        "INSERT INTO public.mec_schema_migrations VALUES (99)",
    ] {
        let refused = server.psql_as("mec_engine", &database, sql).unwrap_err();
        let said = refused.to_string();
        let is_refused = said.contains("permission denied") || said.contains("must be owner");
        assert!(is_refused, "{sql}: {said}");
    }
}

#[test]
fn of_what_runs_with_the_rights_of_another_callers_have_one_function() {
    let server = Server::shared();
    let database = world();
    let functions = "SELECT string_agg(r.role, ' ' ORDER BY r.role), p.oid::regprocedure
        FROM unnest(ARRAY['public', 'authenticator', 'mec_anon', 'mec_user', 'mec_service', 'mec_admin']) AS r (role)
        CROSS JOIN pg_proc p
        WHERE p.pronamespace IN ('mec'::regnamespace, 'api'::regnamespace) AND p.prosecdef
            AND has_function_privilege(r.role, p.oid, 'EXECUTE')
        GROUP BY p.oid";
    assert_eq!(
        server.psql(&database, functions).unwrap(),
        "mec_admin mec_service mec_user|mec.accounts_of_claims()"
    );
    let everybody = "SELECT r.role, p.oid::regprocedure
        FROM unnest(ARRAY['public', 'authenticator', 'mec_anon']) AS r (role) CROSS JOIN pg_proc p
        WHERE p.pronamespace IN ('mec'::regnamespace, 'api'::regnamespace)
            AND has_function_privilege(r.role, p.oid, 'EXECUTE')";
    assert_eq!(server.psql(&database, everybody).unwrap(), "");
    // Each resolves names in MEC's schema only.
    let open = "SELECT p.oid::regprocedure FROM pg_proc p
        WHERE p.pronamespace IN ('mec'::regnamespace, 'api'::regnamespace)
            AND NOT coalesce('search_path=mec, pg_temp' = ANY (p.proconfig), false)";
    assert_eq!(server.psql(&database, open).unwrap(), "");
    let leaking = "SELECT c.oid::regclass FROM pg_class c
        WHERE c.relnamespace IN ('mec'::regnamespace, 'api'::regnamespace) AND c.relkind = 'v'
            AND NOT coalesce('security_invoker=true' = ANY (c.reloptions), false)";
    assert_eq!(server.psql(&database, leaking).unwrap(), "");
}

#[test]
fn no_role_becomes_another() {
    let server = Server::shared();
    let database = world();
    let roles = "CREATE ROLE reader LOGIN INHERIT IN ROLE mec_user;
        CREATE ROLE reporter LOGIN INHERIT IN ROLE mec_admin;";
    server.psql(&database, roles).unwrap();
    for (user, role) in [
        ("reader", "mec_admin"),
        ("reader", "mec_service"),
        ("reader", "mec_engine"),
        ("authenticator", "mec_engine"),
        ("authenticator", "postgres"),
        ("mec_engine", "authenticator"),
    ] {
        let refused = server.psql_as(user, &database, &format!("SET ROLE {role}"));
        assert!(
            refused
                .unwrap_err()
                .to_string()
                .contains("permission denied")
        );
    }
    // Before it has taken a role a connection sees nothing.
    for sql in ["SELECT * FROM api.plans", "SELECT * FROM mec.accounts"] {
        let refused = server.psql_as("authenticator", &database, sql);
        assert!(
            refused
                .unwrap_err()
                .to_string()
                .contains("permission denied")
        );
    }
    // One who was given the rights of a role is bound as that role is.
    let count = |user: &str, claims: &str| {
        let sql =
            format!("SET \"request.jwt.claims\" = '{claims}'; SELECT count(*) FROM api.accounts");
        server.psql_as(user, &database, &sql).unwrap()
    };
    assert_eq!(count("reader", &bound(&format!("\"{TEAM}\""))), "2");
    assert_eq!(count("reader", &of("default")), "4");
    assert_eq!(count("reader", &of("*")), "0");
    assert_eq!(count("reporter", &of("*")), "8");
    assert_eq!(
        count(
            "reporter",
            &bound(&format!("\"{TEAM}\"")).replace("default", "*")
        ),
        "0"
    );
    let sql = transaction(
        "mec_admin",
        Some(&of("*")),
        "SELECT count(*) FROM api.accounts",
    );
    assert_eq!(server.psql_as("reporter", &database, &sql).unwrap(), "8");
}
