//! HTTP/1.1 by hand, and the programs that speak it and TLS.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Output, Stdio};

use crate::support::Server;

/// A connection to the server.
pub fn connect(server: &Server) -> TcpStream {
    let address = server.address.split_once("://").unwrap().1;
    let stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// A request without a body, as the caller of the server's token.
pub fn get(server: &Server, path: &str, headers: &str) -> String {
    let token = &server.token;
    format!("GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n{headers}\r\n")
}

/// An answer.
pub struct Answer {
    pub status: u16,
    head: String,
    pub body: Vec<u8>,
}

impl Answer {
    /// All values of a header.
    pub fn all(&self, name: &str) -> Vec<&str> {
        let pairs = self.head.lines().filter_map(|line| line.split_once(": "));
        pairs
            .filter(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
            .collect()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.all(name).first().copied()
    }
}

/// Reads one answer with a Content-Length, or of a status without a body.
pub fn read_answer(stream: &mut impl Read) -> Answer {
    let mut received = Vec::new();
    let mut room = [0; 4096];
    let mut more = |received: &mut Vec<u8>| {
        let length = stream.read(&mut room).unwrap();
        assert!(
            length > 0,
            "the connection ended in the middle of an answer"
        );
        received.extend_from_slice(&room[..length]);
    };
    let end = loop {
        match received.windows(4).position(|part| part == b"\r\n\r\n") {
            Some(end) => break end + 4,
            None => more(&mut received),
        }
    };
    let head = String::from_utf8(received[..end].to_vec()).unwrap();
    let mut answer = Answer {
        status: head[9..12].parse().unwrap(),
        head,
        body: Vec::new(),
    };
    let length = answer.header("content-length").map(|n| n.parse().unwrap());
    let whole = end + length.unwrap_or(0);
    while received.len() < whole {
        more(&mut received);
    }
    assert_eq!(received.len(), whole, "two answers came at once");
    answer.body = received.split_off(end);
    answer
}

/// Asks once, on a connection of its own.
pub fn ask(server: &Server, request: &str) -> Answer {
    let mut stream = connect(server);
    stream.write_all(request.as_bytes()).unwrap();
    read_answer(&mut stream)
}

/// What comes until the server ends the connection, be it with a good-bye or without.
pub fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut received = Vec::new();
    match stream.read_to_end(&mut received) {
        Err(error) if error.kind() != ErrorKind::ConnectionReset => panic!("{error}"),
        _ => received,
    }
}

/// A program of the system.
pub fn program(name: &str) -> Command {
    let found = Command::new(name)
        .arg(if name == "openssl" {
            "version"
        } else {
            "--version"
        })
        .stdout(Stdio::null())
        .status();
    let is_there = found.is_ok_and(|status| status.success());
    assert!(
        is_there,
        "{name} is not there; install it: apt-get install {name}"
    );
    Command::new(name)
}

/// What curl gets, without its progress.
pub fn curl(args: &[&str]) -> Output {
    program("curl").arg("-sS").args(args).output().unwrap()
}

/// The same, as text of a success.
#[track_caller]
pub fn curled(args: &[&str]) -> String {
    let output = curl(args);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}
