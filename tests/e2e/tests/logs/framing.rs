//! Where a request ends: nothing that is sent within one is taken for another.

use std::io::{Read, Write};
use std::net::TcpStream;

use super::{Logged, access};

const SECRET: &str = "a secret of the tests, 32 bytes or more";

#[test]
fn a_request_cannot_carry_another() {
    let hidden = "GET /api/plans HTTP/1.1\r\nHost: x\r\n\r\n";
    let length = hidden.len();
    let chunk = format!("{length:x}\r\n{hidden}\r\n0\r\n\r\n");
    // What announces two lengths is either refused, or read by the one that stands above the other.
    let heads = [
        format!("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}"),
        format!("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n{chunk}"),
        format!("Content-Length: 0\r\nContent-Length: {length}\r\n\r\n{hidden}"),
        format!("Content-Length: {length}\r\nContent-Length: 0\r\n\r\n{hidden}"),
        format!("Content-Length: +0\r\n\r\n{hidden}"),
        format!("Transfer-Encoding: xchunked\r\nContent-Length: {length}\r\n\r\n{hidden}"),
        format!("Transfer-Encoding : chunked\r\nContent-Length: {length}\r\n\r\n{hidden}"),
    ];
    let mut logged = Logged::start(SECRET, &[]);
    let host = logged.server.address.replacen("http://", "", 1);
    for head in &heads {
        let mut stream = TcpStream::connect(&host).unwrap();
        let request = format!("POST /health HTTP/1.1\r\nHost: x\r\n{head}");
        stream.write_all(request.as_bytes()).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        // Who is refused may find the connection reset.
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.matches("HTTP/1.1 ").count() <= 1, "{head}: {answer}");
    }
    let routes = access(&logged.stop());
    assert!(routes.len() <= heads.len());
    assert!(
        routes.iter().all(|line| line["route"] == "/health"),
        "{routes:?}"
    );
}
