//! The decision tables against two engines over PostgreSQL. They stand apart from those over the embedded
//! store, whose lock a program that is just being started would hold for a moment.
#![allow(
    missing_docs,
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, and uses one store of those that there are"
)]

mod cases_world;

use cases_world::{Place, Running, answers_every_row, running};
use mec_cases::Pool;
use mec_store_postgres::PostgresConfig;
use mec_test_postgres::Server;

/// On a new database of the tests' own server.
fn on_postgres() -> Running {
    let server = Server::shared();
    let url = server.url("mec_engine", &server.database());
    running(Place::Database(PostgresConfig::new(url.into())))
}

#[test]
fn two_engines_on_postgres_answer_every_row_of_the_decision_tables() {
    let pairs = Pool::default();
    answers_every_row(|| pairs.take(on_postgres));
}
