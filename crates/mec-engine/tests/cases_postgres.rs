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

use std::sync::Mutex;

use cases_world::{Place, Running, answers_every_row, running};
use mec_cases::{Names, Step, World};
use mec_store_postgres::PostgresConfig;
use mec_test_postgres::Server;

/// Pairs of engines on a database of their own, which rows are played on one after the other.
static NODES: Mutex<Vec<Running>> = Mutex::new(Vec::new());

/// A row on one of the pairs, in a namespace of its own.
struct Row(Option<Running>);

/// On a new database of the tests' own server, where all others are in use.
fn on_postgres() -> Row {
    let held = NODES.lock().unwrap().pop();
    let mut nodes = held.unwrap_or_else(|| {
        let server = Server::shared();
        let url = server.url("mec_engine", &server.database());
        running(Place::Database(PostgresConfig::new(url.into())))
    });
    nodes.begin_again();
    Row(Some(nodes))
}

impl Row {
    fn nodes(&mut self) -> &mut Running {
        self.0.as_mut().unwrap()
    }
}

impl Drop for Row {
    fn drop(&mut self) {
        // What a row left that panicked is not played on.
        if !std::thread::panicking() {
            NODES.lock().unwrap().extend(self.0.take());
        }
    }
}

impl World for Row {
    fn at(&mut self, time: &str) {
        self.nodes().at(time);
    }

    fn wait(&mut self, seconds: i64) {
        self.nodes().wait(seconds);
    }

    fn catalogue(&mut self, rules: &[&Step], offers: &[&Step]) -> Vec<String> {
        self.nodes().catalogue(rules, offers)
    }

    fn account(&mut self, id: &str, account_type: &str, parent: Option<&str>, zone: Option<&str>) {
        self.nodes().account(id, account_type, parent, zone);
    }

    fn before_request(&mut self) {
        self.nodes().before_request();
    }

    fn act(&mut self, step: &Step, names: &Names) -> Result<String, String> {
        self.nodes().act(step, names)
    }
}

#[test]
fn two_engines_on_postgres_answer_every_row_of_the_decision_tables() {
    answers_every_row(on_postgres);
    NODES.lock().unwrap().clear();
}
