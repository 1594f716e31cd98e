//! Passwords of roles are set without the database's own log ever having them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use mec_store_postgres::{Passwords, PostgresConfig, migrate};
use mec_test_postgres::Server;

const PASSWORD: &str = "it's a \\ secret, 12 of them";

#[test]
fn a_password_is_kept_as_a_verifier_and_stands_in_no_log() {
    // Roles belong to the whole server.
    let server = Server::start().unwrap();
    server
        .psql(
            "postgres",
            "ALTER SYSTEM SET log_statement = 'all'; SELECT pg_reload_conf(); CREATE DATABASE mec",
        )
        .unwrap();
    let config = PostgresConfig::new(server.url("postgres", "mec").into());
    let passwords = Passwords {
        engine: Some(PASSWORD.into()),
        authenticator: None,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(migrate(&config, &passwords)).unwrap();
    let kept = "SELECT string_agg(rolname, ' ') FROM pg_authid
        WHERE rolpassword LIKE 'SCRAM-SHA-256$%' AND rolname IN ('mec_engine', 'authenticator')";
    assert_eq!(server.psql("postgres", kept).unwrap(), "mec_engine");
    let log = std::fs::read_to_string(server.folder().join("log")).unwrap();
    assert!(log.contains("ALTER ROLE mec_engine PASSWORD"), "{log}");
    assert!(!log.contains("12 of them"), "{log}");
}
