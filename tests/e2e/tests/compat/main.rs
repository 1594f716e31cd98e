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
mod issuer;
mod schemathesis;
mod seed;

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use install::{Clients, Language};
use mec_test_postgres::Server as Postgres;
use support::{NODES_SECRET, Server, binary};

/// The programs. Those that write come after those of both clients that read, and expect the seeded rows alone.
const PROGRAMS: [&[&str]; 2] = [
    &["rows", "filters", "pages", "errors", "calls", "series"],
    &["writes"],
];

const LANGUAGES: [Language; 2] = [Language::JavaScript, Language::Python];

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

#[test]
fn the_clients_ask_again_by_themselves_while_the_database_is_away() {
    let folder = tempfile::tempdir().unwrap();
    // One of its own, since it is stopped.
    let postgres = Postgres::start().unwrap();
    postgres.psql("postgres", "CREATE DATABASE mec").unwrap();
    postgres.migrate("mec").unwrap();
    let server = Server::node(folder.path(), &postgres.url("mec_engine", "mec"), &[]);
    for language in LANGUAGES {
        postgres.halt().unwrap();
        let mut program = run(language, &server)
            .arg("retries")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut says = BufReader::new(program.stdout.take().unwrap());
        let mut said = String::new();
        says.read_line(&mut said).unwrap();
        assert_eq!(said, "refused\n", "{language:?}");
        postgres.resume().unwrap();
        writeln!(program.stdin.take().unwrap(), "resumed").unwrap();
        std::io::Read::read_to_string(&mut says, &mut said).unwrap();
        assert!(program.wait().unwrap().success(), "{language:?}: {said}");
    }
}

/// Runs programs of a client, and tells them where the server is.
fn run(language: Language, server: &Server) -> Command {
    let mut command = Clients::shared().runner(language);
    command
        .env("MEC_COMPAT_URL", format!("{}/api", server.address))
        .env("MEC_COMPAT_TOKEN", &server.token);
    command
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
    let all = PROGRAMS.map(|programs| LANGUAGES.map(|language| (programs, language)));
    for (programs, language) in all.into_iter().flatten() {
        let output = run(language, server)
            .args(programs)
            .env("MEC_COMPAT_ADMIN_TOKEN", &admin)
            .env("MEC_COMPAT_USER_TOKEN", &user)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        let complained = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            failures += &format!("{language:?}:\n{said}{complained}\n");
        }
    }
    assert!(failures.is_empty(), "{failures}");
}
