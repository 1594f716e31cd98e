//! The real clients of PostgREST, in JavaScript and Python, against the real binary on both stores. What
//! they ask and expect stands in `tests/compat`, one program a subject.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

#[path = "../support/mod.rs"]
mod support;

mod install;
mod seed;

use std::process::{Command, Stdio};

use install::{Clients, Language};
use mec_test_postgres::Server as Postgres;
use support::{NODES_SECRET, Server, binary};

/// The programs, in the order in which they run: what reads comes before what writes.
const PROGRAMS: [&str; 6] = ["rows", "filters", "pages", "errors", "calls", "writes"];

#[test]
fn the_clients_are_answered_as_they_expect_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    check(&server, |command| {
        command.arg("--data-dir").arg(folder.path());
    });
}

#[test]
fn the_clients_are_answered_as_they_expect_on_postgresql() {
    let folder = tempfile::tempdir().unwrap();
    let postgres = Postgres::shared();
    let url = postgres.url("mec_engine", &postgres.database());
    let server = Server::node(folder.path(), &url, &[]);
    check(&server, |command| {
        command.env("JWT_SECRET", NODES_SECRET);
    });
}

/// Runs all programs of both clients against a server; what signs its tokens is told by the last argument.
fn check(server: &Server, signed_by: impl Fn(&mut Command)) {
    seed::seed(server);
    let token = |arguments: &[&str]| {
        let mut command = Command::new(binary());
        command.arg("token").args(arguments);
        command.env_remove("DATABASE_URL").env_remove("JWT_SECRET");
        signed_by(&mut command);
        let output = command.stderr(Stdio::inherit()).output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let admin = token(&["--role", "mec_admin"]);
    let user = token(&["--role", "mec_user", "--account", seed::ACME]);
    let mut failures = String::new();
    for name in PROGRAMS {
        for language in [Language::JavaScript, Language::Python] {
            let output = Clients::shared()
                .program(language, name)
                .env("MEC_COMPAT_URL", format!("{}/api", server.address))
                .env("MEC_COMPAT_TOKEN", &server.token)
                .env("MEC_COMPAT_ADMIN_TOKEN", &admin)
                .env("MEC_COMPAT_USER_TOKEN", &user)
                .stdin(Stdio::null())
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&output.stdout);
            let complained = String::from_utf8_lossy(&output.stderr);
            println!("{language:?} {name}: {said}");
            if !output.status.success() {
                failures += &format!("{language:?} {name}:\n{said}{complained}\n");
            }
        }
    }
    assert!(failures.is_empty(), "{failures}");
}
