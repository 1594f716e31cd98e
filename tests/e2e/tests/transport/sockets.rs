//! Unix sockets: for callers on the machine, and for commands.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::raw::{connect, curled, get, read_answer};
use crate::support::{Server, command, mec, ran};
use std::io::Write;

#[test]
fn a_socket_and_addresses_are_served_at_once() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("data");
    let socket = place.path().join("s");
    let shown = socket.display().to_string();
    let listen = format!("--listen=127.0.0.1:0,127.0.0.1:0,unix:{shown}");
    let mut server = Server::with(&folder, &[&listen, "--socket-mode=0600"]);
    let mode = fs::metadata(&socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    for version in ["--http1.1", "--http2-prior-knowledge"] {
        let told = curled(&["--unix-socket", &shown, version, "http://localhost/ready"]);
        assert!(told.starts_with(r#"{"status":"ready""#), "{told}");
    }
    let health = format!("{}/health", server.address);
    let told = curled(&["--http2-prior-knowledge", "-w", "%{http_version}", &health]);
    assert_eq!(told, r#"{"status":"up"}2"#);
    let token = fs::read_to_string(folder.join("mec.token")).unwrap();
    let catalogue = ["catalogue", "show", "--server", &format!("unix:{shown}")];
    ran(command(&folder, &catalogue).env("MEC_TOKEN", token)).ok();
    // A second server finds the socket taken, and leaves it alone.
    let second = mec(&place.path().join("other"), &["serve", &listen]);
    let told = format!("{shown} cannot be listened on: another process does");
    assert!(
        second.code == Some(1) && second.err.contains(&told),
        "{second:?}"
    );
    server.stop();
    assert!(!socket.exists() && !folder.join("mec.sock").exists());
}

#[test]
fn commands_reach_a_server_that_listens_on_a_socket_only() {
    let place = tempfile::tempdir().unwrap();
    // Deeper than the path of a socket may be long.
    let folder = place
        .path()
        .join("a-deep-folder".repeat(5))
        .join("b".repeat(100));
    let listen = format!("--listen=unix:{}", place.path().join("s").display());
    let mut server = Server::with(&folder, &[&listen]);
    assert!(server.address.starts_with("unix:"));
    mec(&folder, &["account", "create", "--external-id=acme"]).ok();
    let rows = "idempotency_key,external_id,resource_type,quantity\n";
    let rows: String = (0..50).fold(rows.to_owned(), |rows, n| {
        rows + &format!("key-{n},acme,benchmark_runs,1\n")
    });
    fs::write(place.path().join("usage.csv"), rows).unwrap();
    let usage = place.path().join("usage.csv").display().to_string();
    mec(&folder, &["import", &usage]).ok();
    let door = fs::metadata(folder.join("mec.sock")).unwrap();
    assert_eq!(door.permissions().mode() & 0o777, 0o600);
    let doctor = mec(&folder, &["doctor"]).ok();
    assert!(
        doctor
            .out
            .contains("token: it is taken, for an administrator")
    );
    // What is killed leaves its sockets behind, and they keep nobody out.
    server.kill();
    assert!(folder.join("mec.sock").exists());
    mec(&folder, &["account", "create", "--external-id=second"]).ok();
    let mut server = Server::with(&folder, &[&listen]);
    mec(&folder, &["account", "create", "--external-id=third"]).ok();
    server.stop();
}

#[test]
fn what_is_beyond_the_most_connections_waits() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("data");
    let server = Server::with(&folder, &["--listen=127.0.0.1:0", "--max-connections=2"]);
    let request = get(&server, "/health", "");
    let ask = |stream: &mut std::net::TcpStream| stream.write_all(request.as_bytes()).unwrap();
    let mut held = [connect(&server), connect(&server)];
    for stream in &mut held {
        ask(stream);
        assert_eq!(read_answer(stream).status, 200);
    }
    let mut third = connect(&server);
    ask(&mut third);
    for stream in &mut held {
        ask(stream);
        assert_eq!(read_answer(stream).status, 200);
    }
    third.set_nonblocking(true).unwrap();
    let waits = third.peek(&mut [0]).unwrap_err();
    assert_eq!(waits.kind(), std::io::ErrorKind::WouldBlock);
    third.set_nonblocking(false).unwrap();
    // Commands have a socket of their own and are served nonetheless.
    mec(&folder, &["doctor"]).ok();
    drop(held);
    assert_eq!(read_answer(&mut third).status, 200);
}
