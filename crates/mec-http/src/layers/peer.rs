//! Where a request comes from: the peer of its connection, or whom a proxy that is believed names.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use axum::http::header::{FORWARDED, HeaderMap};
use ipnet::IpNet;

const X_FORWARDED_FOR: &str = "x-forwarded-for";
/// The word for a proxy that comes by a unix socket.
const UNIX: &str = "unix";
/// So many of the hops that a header names are looked at, from the right.
const MAX_HOPS: usize = 32;
/// Of an IPv6 address the part that one client has for itself, in bits from the right.
const OWN_BITS: u32 = 64;

/// The other end of a connection; none for a unix socket. It stands in the request's extensions.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Peer(pub Option<SocketAddr>);

/// Proxies whose word about their clients is believed: networks, and `unix` for the unix socket.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct TrustedProxies {
    networks: Vec<IpNet>,
    has_unix: bool,
}

/// A list of proxies has a member that is none.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0:?} is no network like 10.0.0.0/8 or fd00::/8, no address, and not unix")]
pub struct NoNetwork(String);

impl FromStr for TrustedProxies {
    type Err = NoNetwork;

    fn from_str(text: &str) -> Result<Self, NoNetwork> {
        let mut read = Self::default();
        let members = text.split(',').map(str::trim);
        for member in members.filter(|member| !member.is_empty()) {
            if member == UNIX {
                read.has_unix = true;
                continue;
            }
            let address = || member.parse::<IpAddr>().map(IpNet::from);
            let network = member.parse::<IpNet>().or_else(|_| address());
            read.networks
                .push(network.map_err(|_| NoNetwork(member.to_owned()))?);
        }
        Ok(read)
    }
}

impl fmt::Display for TrustedProxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unix = self.has_unix.then(|| UNIX.to_owned());
        let all = self.networks.iter().map(IpNet::to_string).chain(unix);
        f.write_str(&all.collect::<Vec<_>>().join(","))
    }
}

impl TrustedProxies {
    /// The address of the client: the peer's, or the right-most that is no trusted proxy's among those that
    /// trusted proxies name. None for a client by a unix socket that nobody names.
    ///
    /// A proxy writes one of the two headers and may hand on what its client wrote into the other, so that
    /// neither is believed where they tell different clients.
    pub fn client(&self, peer: Option<Peer>, headers: &HeaderMap) -> Option<IpAddr> {
        let peer = peer.and_then(|peer| peer.0).map(|peer| plain(peer.ip()));
        if !self.trusts(peer) {
            return peer;
        }
        let by_list = self.named(hops(headers, X_FORWARDED_FOR, address));
        let by_field = self.named(hops(headers, FORWARDED.as_str(), forwarded_for));
        match (by_list, by_field) {
            (Some(one), Some(other)) if one != other => peer,
            (Some(named), _) | (None, Some(named)) => Some(named),
            (None, None) => peer,
        }
    }

    /// The right-most of these hops that is no trusted proxy; where all are, the left-most. What cannot be
    /// read ends the way: who wrote it is the last that is known.
    fn named(&self, hops: impl Iterator<Item = Option<IpAddr>>) -> Option<IpAddr> {
        let mut last = None;
        for hop in hops.take(MAX_HOPS) {
            let Some(hop) = hop else { break };
            last = Some(hop);
            if !self.trusts(last) {
                break;
            }
        }
        last
    }

    fn trusts(&self, hop: Option<IpAddr>) -> bool {
        hop.map_or(self.has_unix, |hop| {
            self.networks.iter().any(|network| network.contains(&hop))
        })
    }
}

/// The hops of all fields of a name, from the right; none for one that cannot be read.
fn hops<'a>(
    headers: &'a HeaderMap,
    name: &str,
    read: fn(&str) -> Option<IpAddr>,
) -> impl Iterator<Item = Option<IpAddr>> + use<'a> {
    let lines = headers.get_all(name).iter().rev();
    lines
        .flat_map(|line| line.to_str().unwrap_or("?").rsplit(','))
        .map(move |hop| read(hop.trim()))
}

/// An address, with or without a port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    let address = bare.unwrap_or(text).parse().ok();
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    address.or_else(with_port).map(plain)
}

/// The address of `for=` in one element of the field Forwarded (RFC 7239).
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    let mut named = pairs.filter(|(name, _)| name.trim().eq_ignore_ascii_case("for"));
    address(named.next()?.1.trim().trim_matches('"'))
}

/// An IPv4 address that is written as one of IPv6 is one of IPv4.
fn plain(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

/// What of an address is one client's: all of an IPv4 address, and the network of an IPv6 address, in which
/// one client takes as many addresses as it likes.
pub fn network_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            Ipv6Addr::from_bits(address.to_bits() >> OWN_BITS << OWN_BITS).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(peer: &str, fields: &[(&'static str, &str)], expected: &str) {
        let trusted: TrustedProxies = "10.0.0.0/8, fd00::/8,192.0.2.7,unix".parse().unwrap();
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, value.parse().unwrap());
        }
        let peer = Peer(peer.parse().ok().map(|ip: IpAddr| SocketAddr::new(ip, 80)));
        let told = trusted.client(Some(peer), &headers);
        let told = told.map_or("local".to_owned(), |told| told.to_string());
        assert_eq!(told, expected, "{peer:?} {fields:?}");
    }

    const LIST: &str = "x-forwarded-for";
    const FIELD: &str = "forwarded";

    #[test]
    fn who_is_not_trusted_is_the_client_whatever_it_says() {
        check("203.0.113.9", &[], "203.0.113.9");
        check("203.0.113.9", &[(LIST, "1.2.3.4")], "203.0.113.9");
        check(
            "::ffff:203.0.113.9",
            &[(FIELD, "for=1.2.3.4")],
            "203.0.113.9",
        );
        let nobody = TrustedProxies::default();
        let mut headers = HeaderMap::new();
        headers.insert(LIST, "1.2.3.4".parse().unwrap());
        assert_eq!(nobody.client(Some(Peer(None)), &headers), None);
        assert_eq!(nobody.client(None, &headers), None);
    }

    #[test]
    fn trusted_proxies_name_the_right_most_that_is_none_of_them() {
        check("10.0.0.1", &[], "10.0.0.1");
        check("10.0.0.1", &[(LIST, "203.0.113.9")], "203.0.113.9");
        check(
            "10.0.0.1",
            &[(LIST, "6.6.6.6, 203.0.113.9, 10.2.2.2")],
            "203.0.113.9",
        );
        check(
            "10.0.0.1",
            &[(LIST, "6.6.6.6,203.0.113.9"), (LIST, "192.0.2.7")],
            "203.0.113.9",
        );
        check(
            "::ffff:10.0.0.1",
            &[(LIST, "203.0.113.9:4711")],
            "203.0.113.9",
        );
        check("fd00::1", &[(LIST, "[2001:db8::1]:443")], "2001:db8::1");
        check("fd00::1", &[(LIST, "2001:db8::1")], "2001:db8::1");
        check("10.0.0.1", &[(LIST, "10.9.9.9, 10.2.2.2")], "10.9.9.9");
        check("unix", &[(LIST, "203.0.113.9")], "203.0.113.9");
        check("unix", &[], "local");
        check(
            "10.0.0.1",
            &[(FIELD, "for=6.6.6.6, For=\"[2001:db8::1]:47\";proto=https")],
            "2001:db8::1",
        );
        check(
            "10.0.0.1",
            &[(FIELD, "proto=http;for=203.0.113.9;by=10.0.0.1")],
            "203.0.113.9",
        );
    }

    #[test]
    fn what_cannot_be_read_is_not_passed_over() {
        check("10.0.0.1", &[(LIST, "6.6.6.6, unknown")], "10.0.0.1");
        check(
            "10.0.0.1",
            &[(LIST, "6.6.6.6, nonsense, 10.2.2.2")],
            "10.2.2.2",
        );
        check(
            "10.0.0.1",
            &[(FIELD, "for=6.6.6.6, for=_hidden")],
            "10.0.0.1",
        );
        check(
            "10.0.0.1",
            &[(FIELD, "for=6.6.6.6, proto=http")],
            "10.0.0.1",
        );
        check("10.0.0.1", &[(LIST, "")], "10.0.0.1");
    }

    #[test]
    fn headers_that_contradict_each_other_are_not_believed() {
        check(
            "10.0.0.1",
            &[(LIST, "203.0.113.9"), (FIELD, "for=6.6.6.6")],
            "10.0.0.1",
        );
        check(
            "10.0.0.1",
            &[(LIST, "203.0.113.9"), (FIELD, "for=203.0.113.9")],
            "203.0.113.9",
        );
    }

    #[test]
    fn lists_of_proxies_are_read_as_they_are_written() {
        let read = |text: &str| text.parse::<TrustedProxies>();
        assert_eq!(read("").unwrap(), TrustedProxies::default());
        let all = "10.0.0.0/8,::1/128,unix";
        assert_eq!(read(" 10.0.0.0/8 , ::1, unix").unwrap().to_string(), all);
        for text in ["10.0.0.0/33", "example.com", "10.0.0", "Unix"] {
            let told = read(text).unwrap_err().to_string();
            assert!(told.contains(text), "{told}");
        }
    }

    #[test]
    fn one_client_of_ipv6_is_a_network() {
        let of = |text: &str| network_of(text.parse().unwrap()).to_string();
        assert_eq!(of("203.0.113.9"), "203.0.113.9");
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
    }
}
