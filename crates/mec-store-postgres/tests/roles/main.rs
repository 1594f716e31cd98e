//! What each role of the contract sees by SQL, and that it changes nothing.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod relations;
mod rights;
mod usage;

use mec_test_postgres::Server;
use relations::{RELATIONS, Sight};

/// A database with two namespaces of the same ids.
fn world() -> String {
    let server = Server::shared();
    let name = server.database();
    let mut sql = include_str!("shared.sql").to_owned();
    for namespace in ["default", "other"] {
        sql += &include_str!("world.sql").replace("{ns}", namespace);
    }
    server.psql(&name, &sql).unwrap();
    name
}

const TEAM: &str = "00000000-0000-0000-0000-000000000020";

/// The claims of a namespace.
fn of(namespace: &str) -> String {
    format!(r#"{{"namespace_id": "{namespace}"}}"#)
}

/// The claims of an account of the first namespace.
fn bound(account: &str) -> String {
    format!(r#"{{"namespace_id": "default", "account_id": {account}}}"#)
}

/// A transaction of a caller, as a client of the role `authenticator` opens one.
fn transaction(role: &str, claims: Option<&str>, sql: &str) -> String {
    let claims = claims.map_or(String::new(), |claims| {
        format!(r#"SET LOCAL "request.jwt.claims" = '{claims}';"#)
    });
    format!("BEGIN; SET LOCAL ROLE {role}; {claims} {sql}; COMMIT;")
}

/// Runs SQL as a caller does.
fn ask(database: &str, role: &str, claims: Option<&str>, sql: &str) -> Result<String, String> {
    let sql = transaction(role, claims, sql);
    let answered = Server::shared().psql_as("authenticator", database, &sql);
    answered.map_err(|error| error.to_string())
}

/// What a caller sees of each relation, beside what it is to see.
fn check(database: &str, role: &str, claims: Option<&str>, sight: &Sight) {
    let server = Server::shared();
    let (mut seen, mut wanted) = (Vec::new(), Vec::new());
    for relation in RELATIONS {
        let (name, columns) = (relation.name, relation.columns);
        seen.push(format!("('{name}', seen('{name}', '{columns}'))"));
        wanted.push(match relation.rows(sight) {
            Some(rows) => format!("('{name}', seen('{name}', '{columns}', $rows${rows}$rows$))"),
            None => format!("('{name}', 'denied')"),
        });
    }
    let all = |rows: &[String]| format!("VALUES {}", rows.join(", "));
    let seen = ask(database, role, claims, &all(&seen)).unwrap();
    let wanted = server.psql(database, &all(&wanted)).unwrap();
    for (seen, wanted) in seen.lines().zip(wanted.lines()) {
        assert_eq!(seen, wanted, "{role} with {claims:?}");
    }
    assert_eq!(seen.lines().count(), RELATIONS.len());
}

/// Claims that are none: absent, empty, and in ways that are not read.
fn unreadable() -> Vec<Option<String>> {
    let deep = "[".repeat(100_000);
    let texts = [
        "",
        "{",
        "null",
        "[]",
        "\"default\"",
        "default",
        "{}",
        r#"{"namespace_id": null}"#,
        r#"{"namespace_id": ["default"]}"#,
        r#"{"namespace_id": 1}"#,
        r#"{"namespace_id": "default\u0000"}"#,
        r#"{"namespace_id": "default", "n": 1e999999}"#,
        r#"{"namespace_id": "DEFAULT"}"#,
        r#"{"namespace_id": "default "}"#,
        r#"{"namespace_id": "%"}"#,
        &deep,
    ];
    let texts = texts.into_iter().map(|text| Some(text.to_owned()));
    std::iter::once(None).chain(texts).collect()
}

#[test]
fn every_relation_has_rows_of_both_namespaces_and_is_in_the_table() {
    let database = world();
    let server = Server::shared();
    for relation in RELATIONS {
        let sights = [
            Sight::namespace("default"),
            Sight::namespace("other"),
            Sight::below("default", TEAM),
        ];
        for rows in sights.iter().filter_map(|sight| relation.rows(sight)) {
            let some = format!("SELECT count(*) > 0 FROM {} t WHERE {rows}", relation.name);
            assert_eq!(server.psql(&database, &some).unwrap(), "t", "{some}");
        }
    }
    let all = "SELECT format('%s.%s', n.nspname, c.relname)
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname IN ('api', 'mec') AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') ORDER BY 1";
    let mut names: Vec<&str> = RELATIONS.iter().map(|relation| relation.name).collect();
    names.sort_unstable();
    let all = server.psql(&database, all).unwrap();
    let partition = |name: &&str| !name.starts_with("mec.consumption_ledger_");
    assert_eq!(all.lines().filter(partition).collect::<Vec<_>>(), names);
}

#[test]
fn without_a_token_plans_and_lookups_of_the_first_namespace_are_seen() {
    let database = world();
    for claims in [
        None,
        Some(of("default")),
        Some(of("other")),
        Some(of("*")),
        Some("{".into()),
    ] {
        check(
            &database,
            "mec_anon",
            claims.as_deref(),
            &Sight::anonymous(),
        );
    }
}

#[test]
fn a_caller_of_a_namespace_sees_all_of_it_and_nothing_else() {
    let database = world();
    for role in ["mec_user", "mec_service", "mec_admin"] {
        for namespace in ["default", "other", "nowhere"] {
            let sight = Sight::namespace(namespace);
            check(&database, role, Some(&of(namespace)), &sight);
        }
        check(
            &database,
            role,
            Some(&bound("null")),
            &Sight::namespace("default"),
        );
    }
}

#[test]
fn a_caller_without_claims_sees_lookups_and_does_not_fail() {
    let database = world();
    for role in ["mec_user", "mec_service", "mec_admin"] {
        for claims in unreadable() {
            check(
                &database,
                role,
                claims.as_deref(),
                &Sight::namespace("nowhere"),
            );
        }
    }
}

#[test]
fn a_user_with_an_account_sees_what_lies_below_it() {
    let database = world();
    let quoted = |account: &str| format!("\"{account}\"");
    let sight = Sight::below("default", TEAM);
    check(&database, "mec_user", Some(&bound(&quoted(TEAM))), &sight);
    let nobody = "ffffffff-ffff-ffff-ffff-ffffffffffff";
    for account in [
        quoted(nobody),
        quoted(""),
        quoted("*"),
        quoted("20"),
        "20".into(),
        "true".into(),
        "[]".into(),
        "{}".into(),
        format!("[\"{TEAM}\"]"),
        quoted(&format!("{{{TEAM}}}")),
        quoted(&format!("{TEAM} ")),
    ] {
        let sight = Sight::below("default", nobody);
        check(&database, "mec_user", Some(&bound(&account)), &sight);
    }
    // An account of another namespace is none of this one.
    let strange = format!(r#"{{"namespace_id": "nowhere", "account_id": "{TEAM}"}}"#);
    check(
        &database,
        "mec_user",
        Some(&strange),
        &Sight::below("nowhere", TEAM),
    );
    // The service and administrators answer for all of a namespace.
    for role in ["mec_service", "mec_admin"] {
        check(
            &database,
            role,
            Some(&bound(&quoted(TEAM))),
            &Sight::namespace("default"),
        );
    }
}

#[test]
fn only_an_administrator_sees_all_namespaces() {
    let database = world();
    check(&database, "mec_admin", Some(&of("*")), &Sight::everything());
    for role in ["mec_user", "mec_service"] {
        check(&database, role, Some(&of("*")), &Sight::namespace("*"));
    }
}

#[test]
fn an_owner_above_is_not_named() {
    let database = world();
    let sql = "SELECT count(*), count(owner_display_name) FROM api.account_hierarchy";
    let claims = bound(&format!("\"{TEAM}\""));
    assert_eq!(
        ask(&database, "mec_user", Some(&claims), sql).unwrap(),
        "2|0"
    );
    assert_eq!(
        ask(&database, "mec_user", Some(&of("default")), sql).unwrap(),
        "4|4"
    );
}

#[test]
fn a_condition_that_fails_on_hidden_rows_does_not_tell_of_them() {
    let database = world();
    let claims = bound(&format!("\"{TEAM}\""));
    for relation in ["api.accounts", "mec.accounts", "api.account_hierarchy"] {
        let sql = format!(
            "SELECT count(*) FROM {relation}
             WHERE 1 / CASE WHEN account_id::text LIKE '%10' OR account_id::text LIKE '%40' THEN 0 ELSE 1 END = 1"
        );
        assert_eq!(
            ask(&database, "mec_user", Some(&claims), &sql).unwrap(),
            "2"
        );
    }
}

#[test]
fn a_connection_never_carries_the_claims_of_another_caller() {
    let database = world();
    let count = "SELECT count(*) FROM api.accounts";
    let claims = of("default");
    let first = transaction("mec_user", Some(&claims), count);
    let second = transaction("mec_user", None, count);
    let undone = first.replace("COMMIT", "ROLLBACK");
    let sql = [second.clone(), first, second.clone(), undone, second].concat();
    let seen = Server::shared().psql_as("authenticator", &database, &sql);
    assert_eq!(seen.unwrap(), "0\n4\n0\n4\n0");
}
