//! The addresses that the settings tell the server to listen on: whether each can be connected to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use super::Findings;
use crate::settings::Values;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

pub fn look(values: &Values, findings: &mut Findings) {
    // A server that was started with a flag is elsewhere than the default says.
    if !values.is_given("MEC_LISTEN") {
        return;
    }
    let addresses = values
        .list("MEC_LISTEN")
        .filter_map(|text| text.parse::<SocketAddr>().ok());
    for address in addresses.filter(|address| address.port() != 0) {
        match TcpStream::connect_timeout(&reached_at(address), CONNECT_TIMEOUT) {
            Ok(_) => findings.ok("listener", format!("{address} can be connected to")),
            Err(error) => findings.fail(
                "listener",
                format!("MEC_LISTEN has {address}, which cannot be connected to: {error}"),
                "restart the server if the setting is new, and look into its log",
            ),
        }
    }
}

/// Where a listener is reached on this machine.
fn reached_at(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    address
}
