//! Who is at the other end of a connection.

use std::net::SocketAddr;

/// The address of the client of a connection, in the request's extensions; none on a unix socket.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub Option<SocketAddr>);
