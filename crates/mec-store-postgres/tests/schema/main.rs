//! The schema: that it is made once, that all statements fit it, and what stands on every table.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod guards;
mod verify;

use futures_util::future::join_all;
use mec_store::StoreError;
use mec_store::conformance::TestIds;
use mec_store_postgres::{Passwords, PostgresConfig, PostgresStore, STATEMENTS, migrate};
use mec_test_postgres::Server;

fn run<T>(work: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().unwrap().block_on(work)
}

fn config(user: &str, database: &str) -> PostgresConfig {
    PostgresConfig::new(Server::shared().url(user, database).into())
}

/// A database without MEC's schema, of an owner.
fn empty(owner: &str) -> String {
    let server = Server::shared();
    let name = format!("empty_{}", server.database());
    let sql = format!("CREATE DATABASE {name} OWNER {owner}");
    server.psql("postgres", &sql).unwrap();
    name
}

/// Puts rows of a namespace into every table.
fn rows(database: &str, namespace: &str) {
    let rows = include_str!("../roles/world.sql").replace("{ns}", namespace);
    let sql = include_str!("../roles/shared.sql").to_owned() + &rows;
    Server::shared().psql(database, &sql).unwrap();
}

/// A database with one namespace of rows in every table.
fn world() -> String {
    let name = Server::shared().database();
    rows(&name, "default");
    name
}

/// Nothing, or else each line is what breaks a rule.
fn nothing(sql: &str) {
    let server = Server::shared();
    assert_eq!(server.psql(&server.database(), sql).unwrap(), "");
}

#[test]
fn every_statement_fits_and_the_service_may_run_it() {
    let server = Server::shared();
    let database = server.database();
    let path = "SET search_path = mec, pg_temp;";
    let mut script = path.to_owned();
    for (name, statement) in STATEMENTS {
        let count = (1..).take_while(|n| statement.contains(&format!("${n}")));
        let nulls = vec!["NULL"; count.count()].join(", ");
        let values = if nulls.is_empty() {
            nulls
        } else {
            format!("({nulls})")
        };
        // A plan is made and its rights are looked at, and nothing is done.
        let explain =
            format!("PREPARE s AS {statement};\nEXPLAIN EXECUTE s{values};\nDEALLOCATE s;\n");
        if *name == "schema_migration_insert" {
            // Only who migrates does that.
            server
                .psql(&database, &format!("{path} {explain}"))
                .unwrap();
        } else {
            script += &format!("\\echo {name}\n{explain}");
        }
    }
    assert!(STATEMENTS.len() > 100);
    server.psql_as("mec_engine", &database, &script).unwrap();
}

/// The plans of all statements, each after its name, as they are made on an empty database for any values.
fn plans_on_an_empty_database() -> String {
    let server = Server::shared();
    let database = server.database();
    let options = run(async {
        let config = config("mec_engine", &database);
        PostgresStore::open(&config, &mut TestIds::default())
            .await
            .unwrap();
        config.session_options()
    });
    let mut script = String::new();
    for option in options.split("-c ").filter(|option| !option.is_empty()) {
        let (name, value) = option.trim().split_once('=').unwrap();
        let value = value.replace('\\', "");
        script += &format!("SELECT set_config('{name}', '{value}', false) \\g /dev/null\n");
    }
    for (name, statement) in STATEMENTS {
        let count = (1..)
            .take_while(|n| statement.contains(&format!("${n}")))
            .count();
        let nulls = vec!["NULL"; count].join(", ");
        let values = if count == 0 {
            nulls
        } else {
            format!("({nulls})")
        };
        script += &format!(
            "SET plan_cache_mode = force_generic_plan; PREPARE s AS {statement};
             \\echo {name}
             EXPLAIN EXECUTE s{values};
             DEALLOCATE s;\n"
        );
    }
    server.psql(&database, &script).unwrap()
}

/// A plan that is made while a table is empty is kept for as long as its connection is.
#[test]
fn no_plan_that_is_made_on_an_empty_database_walks_a_table_that_grows() {
    let plans = plans_on_an_empty_database();
    let mut statement = "";
    let mut walks = Vec::new();
    for line in plans.lines() {
        if STATEMENTS.iter().any(|(name, _)| *name == line) {
            statement = line;
        }
        let Some((_, table)) = line.split_once("Seq Scan on ") else {
            continue;
        };
        let table = table.split(' ').next().unwrap();
        let grows = GROWING.iter().any(|growing| table.starts_with(growing));
        if grows && !WHOLE.contains(&statement) {
            walks.push(format!("{statement}: {table}"));
        }
    }
    assert_eq!(walks, Vec::<String>::new());
}

/// By its namespace alone, or without its account, an index is walked from end to end.
#[test]
fn a_series_reads_its_own_accounts_events_and_no_others() {
    let plans = plans_on_an_empty_database();
    for name in [
        "series_select_accounts_by_level",
        "series_select_details_by_level",
    ] {
        let is_name = |line: &&str| STATEMENTS.iter().any(|(name, _)| name == line);
        let of_series = plans.lines().skip_while(|line| *line != name).skip(1);
        let plan: Vec<&str> = of_series.take_while(|line| !is_name(line)).collect();
        let mut read = 0;
        for (table, found_by) in [
            (" on consumption_ledger_", "account_id = "),
            (" on accounts ", "parent_account_id = "),
            (" on consumption_event_details ", "event_id = "),
        ] {
            let scans = plan.windows(2).filter(|lines| lines[0].contains(table));
            for lines in scans {
                let is_by_key = lines[1].contains("Index Cond:") && lines[1].contains(found_by);
                assert!(is_by_key, "{name}: {lines:?}");
                read += 1;
            }
        }
        assert!(read > 2, "{name}: {plan:?}");
    }
}

/// The tables that grow with what is done, and not with what is sold.
const GROWING: &[&str] = &[
    "account_external_ids",
    "accounts",
    "api_keys",
    "concurrency_leases",
    "consumption",
    "control_decisions_log",
    "entitlement",
    "former_descendants",
    "grace_clocks",
    "grant",
    "idempotency_keys",
    "open_holds",
    "own_totals",
    "reservations",
    "subscriptions",
    "tree",
    "usage_buckets",
];

/// Those that are to read the whole of a table: a verification, and the question what is in use when the
/// rows that all namespaces share are replaced.
const WHOLE: &[&str] = &[
    "account_type_select_used_by_code",
    "own_total_select_all",
    "tree_select_all",
    "unit_select_used_by_code",
    "window_type_select_used_by_code",
];

#[test]
fn rows_of_every_table_are_guarded_also_from_its_owner() {
    nothing(
        "SELECT c.oid::regclass FROM pg_class c
         WHERE c.relnamespace = 'mec'::regnamespace AND c.relkind IN ('r', 'p')
             AND NOT (c.relrowsecurity AND c.relforcerowsecurity)",
    );
    // Nobody is let through to a partition, so that the ledger's own policies are the only way in.
    nothing(
        "SELECT c.oid::regclass FROM pg_class c
         WHERE c.relnamespace = 'mec'::regnamespace AND c.relispartition AND c.relkind = 'r'
             AND (EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid)
                 OR EXISTS (SELECT FROM aclexplode(c.relacl) a WHERE a.grantee <> c.relowner))",
    );
}

#[test]
fn every_key_of_a_namespace_begins_with_it() {
    nothing(
        "SELECT i.indexrelid::regclass
         FROM pg_index i
         JOIN pg_class c ON c.oid = i.indrelid
         JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'namespace_id'
         WHERE c.relnamespace = 'mec'::regnamespace AND i.indisunique AND i.indkey[0] <> a.attnum",
    );
    // So do the keys by which its tables refer to each other.
    nothing(
        "SELECT k.conname
         FROM pg_constraint k
         JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attname = 'namespace_id'
         JOIN pg_attribute o ON o.attrelid = k.confrelid AND o.attname = 'namespace_id'
         WHERE k.contype = 'f' AND k.connamespace = 'mec'::regnamespace
             AND (k.conkey[1] <> a.attnum OR k.confkey[1] <> o.attnum)",
    );
}

#[test]
fn ten_migrations_at_once_make_one_schema_and_the_next_changes_nothing() {
    let server = Server::shared();
    let database = empty("postgres");
    let config = config("postgres", &database);
    let passwords = Passwords::default();
    run(async {
        let all = join_all((0..10).map(|_| migrate(&config, &passwords))).await;
        let applied: Vec<u64> = all.into_iter().map(Result::unwrap).collect();
        let made: Vec<u64> = applied.iter().copied().filter(|count| *count > 0).collect();
        assert_eq!(made, [7], "{applied:?}");
        assert_eq!(migrate(&config, &passwords).await.unwrap(), 0);
    });
    let versions =
        "SELECT string_agg(version::text, ' ' ORDER BY version) FROM public.mec_schema_migrations";
    assert_eq!(server.psql(&database, versions).unwrap(), "1 2 3 4 5 6 7");
}

#[test]
fn an_older_or_newer_schema_is_refused() {
    let server = Server::shared();
    let open = |database: &str| {
        let config = config("mec_engine", database);
        let mut ids = TestIds::default();
        run(PostgresStore::open(&config, &mut ids)).unwrap_err()
    };
    let says = |error: &StoreError, what: &str| {
        assert!(
            matches!(error, StoreError::Damaged(said) if said.contains(what)),
            "{error}"
        );
    };
    says(&open(&empty("postgres")), "run `mec migrate`");

    let database = server.database();
    let newer = "INSERT INTO public.mec_schema_migrations VALUES (99)";
    server.psql(&database, newer).unwrap();
    says(&open(&database), "run a newer mec");
    let error = run(migrate(
        &config("postgres", &database),
        &Passwords::default(),
    ));
    says(&error.unwrap_err(), "run a newer mec");
}

#[test]
fn one_who_is_no_superuser_can_own_the_schema_and_is_bound_by_its_guards() {
    let server = Server::shared();
    server
        .psql("postgres", "CREATE ROLE keeper LOGIN CREATEROLE")
        .unwrap();
    let database = empty("keeper");
    run(async {
        let passwords = Passwords::default();
        migrate(&config("keeper", &database), &passwords)
            .await
            .unwrap();
        let mut ids = TestIds::default();
        let store = PostgresStore::open(&config("mec_engine", &database), &mut ids).await;
        drop(store.unwrap());
    });
    rows(&database, "other");
    for (user, sql, sentence) in [
        (
            "keeper",
            "UPDATE mec.consumption_ledger SET quantity = 0",
            "append-only",
        ),
        (
            "keeper",
            "DELETE FROM mec.consumption_ledger",
            "append-only",
        ),
        ("keeper", "TRUNCATE mec.consumption_ledger", "append-only"),
        (
            "keeper",
            "TRUNCATE mec.consumption_ledger_rest",
            "append-only",
        ),
        (
            "mec_engine",
            "UPDATE mec.units SET base_factor = 3 WHERE unit_code = 'hours'",
            "is in use",
        ),
        (
            "mec_engine",
            "DELETE FROM mec.account_types WHERE account_type_code = 'organization'",
            "is in use",
        ),
    ] {
        let said = server
            .psql_as(user, &database, sql)
            .unwrap_err()
            .to_string();
        assert!(said.contains(sentence), "{user}: {sql}: {said}");
    }
    let claims = r#"BEGIN; SET LOCAL ROLE mec_user; SET LOCAL "request.jwt.claims" =
        '{"namespace_id": "other", "account_id": "00000000-0000-0000-0000-000000000020"}';"#;
    let sql = format!("{claims} SELECT count(*) FROM api.accounts; COMMIT;");
    let seen = server.psql_as("authenticator", &database, &sql);
    assert_eq!(seen.unwrap(), "2");
    // The owner makes partitions, asked by the service.
    let made = server.psql_as(
        "mec_engine",
        &database,
        "SELECT mec.make_ledger_partitions(13)",
    );
    assert_eq!(made.unwrap(), "1");
}
