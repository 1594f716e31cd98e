//! Clients that are slow on purpose: they are cut off, others are served, and memory stays bounded.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::raw::{ask, connect, get, read_answer, rest};
use crate::support::Server;

/// How long a client waits between two of its little steps.
const STEP: Duration = Duration::from_millis(20);

/// Sends the same bytes now and then until the connection is ended; what came meanwhile.
fn talk(mut stream: TcpStream, bytes: &[u8]) -> Vec<u8> {
    stream.set_read_timeout(Some(STEP)).unwrap();
    let mut received = Vec::new();
    let mut room = [0; 4096];
    while stream.write_all(bytes).is_ok() {
        match stream.read(&mut room) {
            Ok(0) => break,
            Ok(length) => received.extend_from_slice(&room[..length]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => break,
        }
    }
    received
}

#[test]
fn who_sends_a_request_byte_by_byte_is_cut_off_and_others_are_served() {
    let folder = tempfile::tempdir().unwrap();
    let settings = ["--listen=127.0.0.1:0", "--header-timeout-ms=500"];
    let server = Server::with(folder.path(), &settings);
    server.organization("acme", None);
    let slow: Vec<_> = (0..200)
        .map(|number| {
            let mut stream = connect(&server);
            // Every second one has been answered before.
            if number % 2 == 0 {
                let request = get(&server, "/health", "");
                stream.write_all(request.as_bytes()).unwrap();
                assert_eq!(read_answer(&mut stream).status, 200);
            }
            stream
                .write_all(b"GET /health HTTP/1.1\r\nX-Slow: ")
                .unwrap();
            thread::spawn(move || talk(stream, b"a"))
        })
        .collect();
    while slow.iter().any(|client| !client.is_finished()) {
        let args = json!({ "p_external_id": "acme", "p_resource_type": "benchmark_runs" });
        assert_eq!(server.rpc("check_entitlement", args).0, 200);
    }
    for client in slow {
        assert_eq!(client.join().unwrap(), b"");
    }
}

#[test]
fn connections_without_a_request_are_closed() {
    let folder = tempfile::tempdir().unwrap();
    let settings = ["--listen=127.0.0.1:0", "--idle-timeout-ms=300"];
    let server = Server::with(folder.path(), &settings);
    let mut silent = connect(&server);
    assert_eq!(rest(&mut silent), b"");
    let mut kept = connect(&server);
    let request = get(&server, "/health", "");
    for _ in 0..3 {
        kept.write_all(request.as_bytes()).unwrap();
        assert_eq!(read_answer(&mut kept).status, 200);
    }
    assert_eq!(rest(&mut kept), b"");

    // HTTP/2 says good-bye first, and to no effect does a client write what is no request.
    let mut http2 = connect(&server);
    http2.write_all(&http2_start(&[])).unwrap();
    let received = talk(http2, &ping());
    const GOAWAY: u8 = 7;
    assert!(kinds(&received).contains(&GOAWAY), "{:?}", kinds(&received));
}

/// A frame of HTTP/2.
fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags, 0, 0, 0, stream]);
    frame.extend_from_slice(payload);
    frame
}

/// A frame that asks for nothing but an echo.
fn ping() -> Vec<u8> {
    frame(6, 0, 0, &[0; 8])
}

/// What a client of HTTP/2 sends first.
fn http2_start(settings: &[u8]) -> Vec<u8> {
    let mut start = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    start.extend(frame(4, 0, 0, settings));
    start
}

/// The kinds of the frames in what was received.
fn kinds(mut received: &[u8]) -> Vec<u8> {
    let mut kinds = Vec::new();
    while let [a, b, c, kind, _, _, _, _, _, rest @ ..] = received {
        kinds.push(*kind);
        let length = u32::from_be_bytes([0, *a, *b, *c]);
        received = rest
            .get(usize::try_from(length).unwrap()..)
            .unwrap_or_default();
    }
    kinds
}

/// How much memory the server has had at the most, in MiB.
fn peak_mib(server: &Server) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let peak = line.unwrap().split_whitespace().nth(1).unwrap();
    peak.parse::<u64>().unwrap() / 1024
}

#[test]
fn who_never_reads_is_cut_off_and_memory_stays_bounded() {
    const CLIENTS: usize = 8;
    const REQUESTS: usize = 100;
    let folder = tempfile::tempdir().unwrap();
    let settings = ["--listen=127.0.0.1:0", "--write-timeout-ms=1000"];
    let server = Server::with(folder.path(), &settings);
    let rows: Vec<Value> = (0..1_000)
        .map(|number| {
            json!({
                "account_type_code": "organization",
                "external_id": format!("account-{number}"),
                "display_name": "x".repeat(200),
            })
        })
        .collect();
    let (status, told) = server.post(
        Some(&server.token),
        "/api/accounts",
        &json!(rows).to_string(),
    );
    assert_eq!(status, 201, "{told}");
    let request = get(&server, "/api/accounts", "");
    let answer_bytes = ask(&server, &request).body.len();
    let before = peak_mib(&server);

    let many = request.repeat(REQUESTS);
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let mut stream = connect(&server);
            stream.write_all(many.as_bytes()).unwrap();
            thread::spawn(move || {
                // It goes on asking and never reads, until the server has ended the connection.
                stream.set_write_timeout(Some(STEP)).unwrap();
                loop {
                    match stream.write(b" ") {
                        Err(error) if error.kind() != ErrorKind::WouldBlock => break,
                        _ => thread::yield_now(),
                    }
                }
                error_of(&stream)
            })
        })
        .collect();
    for client in clients {
        client.join().unwrap();
    }
    let asked_mib = u64::try_from(CLIENTS * REQUESTS * answer_bytes / 1024 / 1024).unwrap();
    let grown = peak_mib(&server) - before;
    assert!(grown * 4 < asked_mib, "{grown} MiB of {asked_mib}");

    // A client of HTTP/2 that allows no byte of its answer, and keeps talking.
    let mut http2 = connect(&server);
    const NO_WINDOW: [u8; 6] = [0, 4, 0, 0, 0, 0];
    let mut asked = http2_start(&NO_WINDOW);
    // GET http of a path and an authority, as HPACK has them.
    let head = [&[0x82, 0x86, 0x04, 5][..], b"/docs", &[0x01, 1, b'x']].concat();
    const END_STREAM_AND_HEADERS: u8 = 5;
    asked.extend(frame(1, END_STREAM_AND_HEADERS, 1, &head));
    http2.write_all(&asked).unwrap();
    let received = talk(http2, &ping());
    const HEADERS: u8 = 1;
    assert!(
        kinds(&received).contains(&HEADERS),
        "{:?}",
        kinds(&received)
    );
    assert_eq!(ask(&server, &request).status, 200);
}

fn error_of(stream: &TcpStream) -> Option<ErrorKind> {
    stream.take_error().unwrap().map(|error| error.kind())
}
