//! Nodes go by the settings that they are started with, and do not start with wrong ones.

use serde_json::json;

use crate::client::{Client, Reply};
use crate::support::{NODES_SECRET, command, ran};
use crate::world::{Node, World, entitlement, until};

fn check(client: &Client, node: &Node) -> Reply {
    let args = json!({ "p_external_id": "acme", "p_resource_type": "api_requests" });
    let reply = client.ask(&node.server.address, "check_entitlement", &args);
    reply.expect("a check is always answered")
}

fn limited(node: &Node) {
    let limit = entitlement("api_requests", "cumulative", "none", 1_000);
    node.server.organization("acme", Some(limit));
}

#[test]
fn what_becomes_of_checks_when_the_database_is_away_for_longer_is_a_setting() {
    let world = World::of_its_own();
    let settings = ["--degraded-for-seconds", "2", "--staleness-bound-ms", "700"];
    let closed = world.node_with(&settings);
    let open = world.node_with(&[settings.as_slice(), &["--when-lost", "open"]].concat());
    limited(&closed);
    let client = Client::new(&closed.server.token);
    for node in [&closed, &open] {
        let bound = client.metric(&node.server.address, "mec_staleness_bound_seconds");
        assert_eq!(bound, Some(0.7));
        until("a node answers from memory", || {
            let reply = check(&client, node);
            reply.body["decision"] == "allow" && reply.body["degraded"].is_null()
        });
    }
    world.postgres.halt().unwrap();
    let mut was_degraded = false;
    until("the node that closes does", || {
        let reply = check(&client, &closed);
        was_degraded |= reply.body["degraded"] == true;
        reply.status == 503 && was_degraded
    });
    let reply = check(&client, &closed);
    assert!(reply.status == 503 && reply.retry_after, "{reply:?}");
    let age = |node: &Node| client.metric(&node.server.address, "mec_staleness_seconds");
    until("memory is older than it may be", || {
        age(&open).is_some_and(|age| age > 2.0)
    });
    let reply = check(&client, &open);
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.body["degraded"], true, "{reply:?}");
    assert_eq!(reply.body["decision"], "allow", "{reply:?}");
    world.postgres.resume().unwrap();
    for node in [&closed, &open] {
        until("checks are fresh again", || {
            let reply = check(&client, node);
            reply.status == 200 && reply.body["degraded"].is_null()
        });
    }
}

#[test]
fn how_long_a_statement_may_take_is_a_setting() {
    let world = World::of_its_own();
    // Without it whoever waits for a lock is told by the shorter time of locks.
    let node = world.node_with(&["--postgres-statement-timeout-ms", "400"]);
    limited(&node);
    let client = Client::new(&node.server.token);
    let mut session = world.postgres.session(&world.database).unwrap();
    session.say("BEGIN; LOCK TABLE mec.trees").unwrap();
    let args = json!({ "p_idempotency_key": "key", "p_external_id": "acme", "p_resource_type": "api_requests" });
    let reply = client.ask(&node.server.address, "consume", &args).unwrap();
    assert!(reply.is_later() && reply.retry_after, "{reply:?}");
    let log = std::fs::read_to_string(world.postgres.folder().join("log")).unwrap();
    assert!(log.contains("due to statement timeout"), "{log}");
    assert!(!log.contains("due to lock timeout"), "{log}");
}

#[test]
fn a_wrong_setting_stops_the_start_and_is_named() {
    let folder = tempfile::tempdir().unwrap();
    // A node that starts all the same ends at once, with another sentence.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap().to_string();
    // Whoever starts it without naming a command starts the same.
    for args in [["serve"].as_slice(), &[]] {
        for (name, value) in [
            ("MEC_STALENESS_BOUND_MS", "9"),
            ("MEC_DEGRADED_FOR_SECONDS", "5m"),
            ("MEC_WHEN_LOST", "ajar"),
            ("MEC_POSTGRES_READERS", "0"),
            ("MEC_POSTGRES_STATEMENT_TIMEOUT_MS", "30s"),
            ("MEC_QUERY_TIMEOUT_MS", "5s"),
        ] {
            let mut wrong = command(folder.path(), args);
            wrong
                .env("JWT_SECRET", NODES_SECRET)
                .env("MEC_LISTEN", &listen)
                .env(name, value);
            let told = ran(&mut wrong);
            assert_eq!(told.code, Some(2), "{told:?}");
            assert!(told.err.contains(&format!("{name} is ")), "{told:?}");
            assert!(told.err.contains(&format!("'{value}'")), "{told:?}");
        }
    }
    let mut wrong = command(folder.path(), &["serve"]);
    let address = "postgres://mec_engine@127.0.0.1/mec?sslmode=full";
    wrong
        .env("JWT_SECRET", NODES_SECRET)
        .env("DATABASE_URL", address);
    let told = ran(&mut wrong);
    assert_eq!(told.code, Some(2), "{told:?}");
    let named = "sslmode=full is none of disable, prefer, require, verify-ca, verify-full";
    assert!(told.err.contains(named), "{told:?}");
}

#[test]
fn the_doctor_knows_the_settings_and_says_which_is_wrong() {
    let world = World::new();
    let node = world.node();
    let doctor = |name: &str, value: &str| {
        let folder = tempfile::tempdir().unwrap();
        let args = ["doctor", "--server", &node.server.address];
        let mut doctor = command(folder.path(), &args);
        doctor
            .env("DATABASE_URL", world.url())
            .env("JWT_SECRET", NODES_SECRET)
            .env("MEC_TOKEN", &node.server.token)
            .env(name, value);
        ran(&mut doctor).out
    };
    let told = doctor("MEC_POSTGRES_READERS", "2");
    assert!(!told.contains("no setting"), "{told}");
    let told = doctor("MEC_WHEN_LOST", "ajar");
    let named = "MEC_WHEN_LOST is closed or open";
    let fails = |line: &str| line.starts_with("fail") && line.contains(named);
    assert!(told.lines().any(fails), "{told}");
}
