//! Ten thousand connections.

use std::io::{ErrorKind, Write};
use std::net::TcpStream;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;

use crate::raw::{connect, get, read_answer};
use crate::support::Server;

const CONNECTIONS: usize = 10_000;

#[test]
fn ten_thousand_idle_connections_are_held_while_checks_are_answered() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let needed = u64::try_from(CONNECTIONS).unwrap() + 500;
    let is_enough = maximum.is_none_or(|most| most >= needed);
    assert!(
        is_enough,
        "raise the hard limit of open files to {needed}: ulimit -Hn"
    );
    let current = maximum;
    setrlimit(Resource::Nofile, Rlimit { current, maximum }).unwrap();

    let folder = tempfile::tempdir().unwrap();
    let settings = ["--listen=127.0.0.1:0", "--idle-timeout-ms=3600000"];
    let server = Server::with(folder.path(), &settings);
    server.organization("acme", None);
    let mut held: Vec<TcpStream> = (0..CONNECTIONS).map(|_| connect(&server)).collect();
    let args = json!({ "p_external_id": "acme", "p_resource_type": "benchmark_runs" });
    let (status, checked) = server.rpc("check_entitlement", args);
    assert_eq!((status, &checked["code"]), (200, &json!("no_entitlement")));
    // Each of them is there, and those that ask are answered.
    let request = get(&server, "/health", "");
    for stream in &held {
        stream.set_nonblocking(true).unwrap();
        let waits = stream.peek(&mut [0]).unwrap_err();
        assert_eq!(waits.kind(), ErrorKind::WouldBlock);
        stream.set_nonblocking(false).unwrap();
    }
    for stream in held.iter_mut().step_by(10) {
        stream.write_all(request.as_bytes()).unwrap();
        assert_eq!(read_answer(stream).status, 200);
    }
}
