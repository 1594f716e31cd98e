//! The real binary under load, killed by SIGKILL again and again. The checker knows nothing but what
//! it sent and what it was answered.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::collections::BTreeSet;
use std::sync::mpsc;

use serde_json::{Value, json};
use support::{Server, verify, verify_database};

const ROUNDS: u64 = 20;
const CALLERS: u64 = 8;
const LIMIT: u64 = 400;

/// What a call ended in.
enum End {
    Granted,
    Denied,
    /// The connection broke: it may have happened or not.
    Unknown,
}

fn consume(server: &Server, account: &str, key: &str) -> (End, Value) {
    let args = json!({ "p_idempotency_key": key, "p_external_id": account, "p_resource_type": "api_requests" });
    match server.try_rpc("consume", &args) {
        Ok((200, answer)) if answer["decision"] == "deny" => (End::Denied, answer),
        Ok((200, answer)) => (End::Granted, answer),
        Ok((503, _)) | Err(_) => (End::Unknown, Value::Null),
        Ok((status, answer)) => panic!("{status}: {answer}"),
    }
}

fn used(server: &Server, account: &str) -> u64 {
    let of = json!({ "p_external_id": account, "p_resource_type": "api_requests" });
    server.rpc("get_usage", of).1.as_u64().unwrap()
}

#[test]
fn nothing_acknowledged_is_lost_nothing_happens_twice_and_no_limit_is_passed() {
    let folder = tempfile::tempdir().unwrap();
    killed_again_and_again(|| Server::start(folder.path()));
    let (code, report) = verify(folder.path());
    assert_eq!((code, &report["problem"]), (Some(0), &Value::Null));
}

#[test]
fn nor_where_the_data_is_in_postgresql() {
    let postgres = mec_test_postgres::Server::shared();
    let url = postgres.url("mec_engine", &postgres.database());
    let folder = tempfile::tempdir().unwrap();
    killed_again_and_again(|| Server::node(folder.path(), &url, &[]));
    let (code, report) = verify_database(&url);
    assert_eq!((code, &report["problem"]), (Some(0), &Value::Null));
}

fn killed_again_and_again(start: impl Fn() -> Server) {
    let mut granted: [BTreeSet<String>; 2] = Default::default();
    let accounts = ["wide", "narrow"];
    let entitlement = |quantity: u64| {
        json!({ "resource_type_code": "api_requests", "limit_kind_code": "cumulative",
                "quantity_allowed": quantity, "window_type_code": "none" })
    };
    let mut unknown: Vec<(usize, String)> = Vec::new();
    let mut kill_after = 7;
    for round in 0..ROUNDS {
        let mut server = start();
        if round == 0 {
            server.organization("wide", Some(entitlement(1_000_000_000)));
            server.organization("narrow", Some(entitlement(LIMIT)));
        }
        for (at, account) in accounts.iter().enumerate() {
            let certain = granted[at].len() as u64;
            let possible = unknown.iter().filter(|(of, _)| *of == at).count() as u64;
            let used = used(&server, account);
            assert!(
                (certain..=certain + possible).contains(&used),
                "round {round}, {account}: {used}"
            );
        }
        for (at, key) in unknown.drain(..) {
            match consume(&server, accounts[at], &key).0 {
                End::Granted => assert!(granted[at].insert(key)),
                End::Denied => {}
                End::Unknown => panic!("a server that was not killed must answer"),
            }
        }
        for (at, account) in accounts.iter().enumerate() {
            assert_eq!(
                used(&server, account),
                granted[at].len() as u64,
                "round {round}, {account}"
            );
        }
        // Differs from round to round, so that the kill falls into other moments of a batch.
        kill_after = (kill_after * 31 + 11) % 257;
        for (at, key, end) in load(&mut server, round, kill_after) {
            match end {
                End::Granted => assert!(granted[at].insert(key), "granted twice"),
                End::Denied => assert!(at == 1, "the wide account was denied"),
                End::Unknown => unknown.push((at, key)),
            }
        }
        assert!(granted[1].len() as u64 <= LIMIT);
    }
    assert!(
        granted[0].len() > 100,
        "the load was too small to mean anything"
    );
}

/// Calls from many threads until the server is killed, after so many answers.
fn load(server: &mut Server, round: u64, kill_after: u64) -> Vec<(usize, String, End)> {
    let (answered, answers) = mpsc::channel();
    let address = server.address.clone();
    let token = server.token.clone();
    let caller = |caller: u64| {
        let (answered, client) = (answered.clone(), Server::client(&address, &token));
        std::thread::spawn(move || {
            for call in 0.. {
                let at = usize::try_from(call % 2).unwrap();
                let key = format!("{round}-{caller}-{call}");
                let end = consume(&client, ["wide", "narrow"][at], &key).0;
                let broken = matches!(end, End::Unknown);
                answered.send((at, key, end)).unwrap();
                if broken {
                    break;
                }
            }
        })
    };
    let callers: Vec<_> = (0..CALLERS).map(caller).collect();
    drop(answered);
    let mut ends: Vec<_> = answers
        .iter()
        .take(usize::try_from(kill_after).unwrap())
        .collect();
    server.kill();
    ends.extend(answers);
    for caller in callers {
        caller.join().unwrap();
    }
    ends
}
