//! A database and the nodes on it.

use std::time::{Duration, Instant};

use mec_test_postgres::Server as Postgres;
use serde_json::{Value, json};

use crate::support::{Server, ran, verify_database};

/// How long anything may take to come about.
const DEADLINE: Duration = Duration::from_secs(120);

pub struct World {
    pub postgres: &'static Postgres,
    pub database: String,
}

pub struct Node {
    pub server: Server,
    url: String,
    folder: tempfile::TempDir,
}

impl World {
    /// A database of its own on the server of all tests.
    pub fn new() -> Self {
        let postgres = Postgres::shared();
        let database = postgres.database();
        Self { postgres, database }
    }

    /// A server of its own, which may be stopped. It ends with the process.
    pub fn of_its_own() -> Self {
        let postgres: &Postgres = Box::leak(Box::new(Postgres::start().unwrap()));
        let database = "mec".to_owned();
        postgres.psql("postgres", "CREATE DATABASE mec").unwrap();
        postgres.migrate(&database).unwrap();
        Self { postgres, database }
    }

    pub fn url(&self) -> String {
        self.postgres.url("mec_engine", &self.database)
    }

    pub fn node(&self) -> Node {
        self.node_with(&[])
    }

    /// A node with settings of its own.
    pub fn node_with(&self, settings: &[&str]) -> Node {
        let folder = tempfile::tempdir().unwrap();
        Node {
            server: Server::node(folder.path(), &self.url(), settings),
            url: self.url(),
            folder,
        }
    }

    pub fn psql(&self, sql: &str) -> String {
        let sql = format!("SET search_path = mec; {sql}");
        self.postgres.psql(&self.database, &sql).unwrap()
    }

    /// The rows of a query, each as JSON.
    pub fn rows(&self, sql: &str) -> Vec<Value> {
        let told = self.psql(&format!("SELECT to_jsonb(r) FROM ({sql}) r"));
        told.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// The ledger proves itself, and the counters with it.
    #[track_caller]
    pub fn verify(&self) {
        let (code, report) = verify_database(&self.url());
        assert_eq!(
            (code, &report["problem"]),
            (Some(0), &Value::Null),
            "{report}"
        );
    }
}

/// An entitlement of so much of a resource.
pub fn entitlement(resource: &str, kind: &str, window: &str, quantity: u64) -> Value {
    json!({ "resource_type_code": resource, "limit_kind_code": kind,
            "quantity_allowed": quantity, "window_type_code": window })
}

/// Asks until it is so.
#[track_caller]
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(
            begun.elapsed() < DEADLINE,
            "it never came about that {what}"
        );
    }
}

impl Node {
    /// Runs a command by way of this node, and returns what it prints.
    pub fn mec(&self, args: &[&str]) -> String {
        let mut command = crate::support::command(self.folder.path(), args);
        command.env("DATABASE_URL", &self.url);
        ran(&mut command).ok().out
    }

    pub fn shown_catalogue(&self) -> String {
        self.mec(&["catalogue", "show"])
    }
}
