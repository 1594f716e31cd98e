//! Who is refused while it is still sending: its connection goes on.

use std::io::Write;

use crate::raw::{connect, get, read_answer};
use crate::support::Server;

#[test]
fn a_refusal_that_comes_before_the_body_leaves_the_connection_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::with(folder.path(), &["--listen=127.0.0.1:0"]);
    let mut stream = connect(&server);
    for _ in 0..50 {
        let head = "POST /api/rpc/check_entitlement HTTP/1.1\r\nHost: mec\r\nAuthorization: Bearer x\r\n\
                    Content-Type: application/json\r\nContent-Length: 2\r\n\r\n";
        stream.write_all(head.as_bytes()).unwrap();
        assert_eq!(read_answer(&mut stream).status, 401);
        stream.write_all(b"{}").unwrap();
        let request = get(&server, "/health", "");
        stream.write_all(request.as_bytes()).unwrap();
        assert_eq!(read_answer(&mut stream).status, 200);
    }
}
