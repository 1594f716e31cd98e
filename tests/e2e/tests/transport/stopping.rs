//! The end of a server: what it has begun it finishes, what it has answered stands.

use std::io::Write;
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde_json::json;

use crate::raw::{ask, connect, get, read_answer, rest};
use crate::support::Server;

#[test]
fn a_stop_under_load_loses_no_answer() {
    const CALLERS: usize = 8;
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::with(folder.path(), &["--listen=127.0.0.1:0"]);
    server.organization("acme", None);
    let (address, token) = (server.address.clone(), server.token.clone());
    let answered = AtomicUsize::new(0);
    let meter = |server: &Server, key: &str| {
        let args = json!({
            "p_idempotency_key": key, "p_external_id": "acme",
            "p_resource_type": "benchmark_runs", "p_quantity": 1,
        });
        server.try_rpc("meter_consumption", &args)
    };
    thread::scope(|scope| {
        for caller in 0..CALLERS {
            let (address, token, answered) = (&address, &token, &answered);
            scope.spawn(move || {
                let client = Server::client(address, token);
                for number in 0.. {
                    match meter(&client, &format!("{caller}-{number}")) {
                        Ok((200, _)) => answered.fetch_add(1, Ordering::SeqCst),
                        // Nothing else is ever answered; the connection may have ended.
                        Ok(other) => panic!("{other:?}"),
                        Err(_) => break,
                    };
                }
            });
        }
        while answered.load(Ordering::SeqCst) < 200 {
            thread::yield_now();
        }
        server.stop();
    });
    let answered = answered.load(Ordering::SeqCst);
    let server = Server::start(folder.path());
    let args = json!({ "p_external_id": "acme", "p_resource_type": "benchmark_runs" });
    let recorded = server.rpc("get_usage", args).1.as_u64().unwrap();
    let recorded = usize::try_from(recorded).unwrap();
    // What a caller had sent when its connection ended may have been recorded, or not.
    let possible = answered..=answered + CALLERS;
    assert!(possible.contains(&recorded), "{recorded} of {answered}");
}

/// Sends the head of a call and waits until the server asks for its body.
fn begin(server: &Server) -> (TcpStream, &'static str) {
    let body = r#"{"p_window_type":"none"}"#;
    let token = &server.token;
    let head = format!(
        "POST /api/rpc/get_window_boundaries HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        body.len()
    );
    let mut stream = connect(server);
    stream.write_all(head.as_bytes()).unwrap();
    assert_eq!(read_answer(&mut stream).status, 100);
    (stream, body)
}

#[test]
fn what_has_begun_is_finished_and_idle_connections_are_closed() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::with(folder.path(), &["--listen=127.0.0.1:0"]);
    let (mut begun, body) = begin(&server);
    let mut idle = connect(&server);
    let request = get(&server, "/health", "");
    idle.write_all(request.as_bytes()).unwrap();
    assert_eq!(read_answer(&mut idle).status, 200);
    server.signal("TERM");
    assert_eq!(rest(&mut idle), b"");
    let address = server.address.strip_prefix("http://").unwrap();
    while TcpStream::connect(address).is_ok() {}
    begun.write_all(body.as_bytes()).unwrap();
    let answer = read_answer(&mut begun);
    let told = (answer.status, answer.header("connection"));
    assert_eq!(told, (200, Some("close")));
    assert_eq!(rest(&mut begun), b"");
    server.ended();
}

#[test]
fn readiness_ends_first_and_the_deadline_ends_all() {
    let folder = tempfile::tempdir().unwrap();
    let settings = [
        "--listen=127.0.0.1:0",
        "--shutdown-delay-seconds=2",
        "--shutdown-timeout-seconds=1",
    ];
    let mut server = Server::with(folder.path(), &settings);
    let ready = get(&server, "/ready", "");
    assert_eq!(ask(&server, &ready).status, 200);
    server.signal("TERM");
    let told = loop {
        let answer = ask(&server, &ready);
        if answer.status != 200 {
            break answer;
        }
    };
    let body = String::from_utf8(told.body.clone()).unwrap();
    assert!(
        told.status == 503 && body.contains("\"shutdown\":\"begun\""),
        "{body}"
    );
    assert_eq!(told.header("retry-after"), Some("1"));
    // Until a load balancer has seen it, everything is served as before.
    assert_eq!(ask(&server, &get(&server, "/health", "")).status, 200);
    let (_never_sent, _) = begin(&server);
    let mut errors = server.errors();
    server.ended();
    let late = errors.find(|line| line.contains("had requests in flight"));
    assert!(late.is_some_and(|line| line.contains("1 connections")));
}
