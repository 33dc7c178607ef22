//! Which addresses a request may go to, whatever its host name resolves to.
//!
//! INVARIANT (checked-address): a connection is made to an address that passed [`judge`], never to a name that could
//! resolve differently the next time.

use renewd_core::web::{HostName, is_loopback};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether requests may leave the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reach {
    /// Wherever grants allow.
    #[default]
    Granted,
    /// Only to this machine, and only where grants allow: rehearsals.
    Loopback,
}

/// Why an address is refused, for `api.example.com leads to 10.0.0.1, ...`; none when it may be used.
///
/// A host that a grant names as a literal address is that address; `localhost` is this machine. Every other name must
/// lead to a public address.
pub(super) fn judge(host: &HostName, address: IpAddr, reach: Reach) -> Option<&'static str> {
    if reach == Reach::Loopback && !is_loopback(address) {
        return Some("which is not this machine, and a rehearsal sends to this machine only");
    }
    match host {
        HostName::Address(literal) => (*literal != address).then_some("which is another address"),
        HostName::Name(name) if name == "localhost" => (!is_loopback(address)).then_some("which is not this machine"),
        HostName::Name(_) => not_public(address).map(|kind| kind.0),
    }
}

struct Kind(&'static str);

fn not_public(address: IpAddr) -> Option<Kind> {
    match address {
        IpAddr::V4(v4) => v4_kind(v4),
        IpAddr::V6(v6) => v6_kind(v6),
    }
}

fn v4_kind(address: Ipv4Addr) -> Option<Kind> {
    let [a, b, c, _] = address.octets();
    // A public address by its number, but on one cloud every machine's own and never the internet.
    if address == Ipv4Addr::new(168, 63, 129, 16) {
        return Some(Kind("a link-local or metadata address"));
    }
    match (a, b, c) {
        (0, ..) => Some(Kind("an unspecified address")),
        (127, ..) => Some(Kind("a loopback address")),
        (10, ..) | (192, 168, _) => Some(Kind("a private address")),
        (172, 16..=31, _) => Some(Kind("a private address")),
        // 100.100.100.200 and 192.0.0.192 give credentials away on some clouds, as 169.254.169.254 does on others.
        (100, 64..=127, _) => Some(Kind("an address of a provider's own network")),
        (169, 254, _) => Some(Kind("a link-local or metadata address")),
        (192, 0, 0) => Some(Kind("an address for protocols only")),
        (198, 18..=19, _) => Some(Kind("an address for measurements only")),
        (224..=239, ..) => Some(Kind("a multicast address")),
        (240..=255, ..) => Some(Kind("a reserved address")),
        _ => None,
    }
}

fn v6_kind(address: Ipv6Addr) -> Option<Kind> {
    let segments = address.segments();
    let [first, second, ..] = segments;
    if address == Ipv6Addr::UNSPECIFIED {
        return Some(Kind("an unspecified address"));
    }
    if address == Ipv6Addr::LOCALHOST {
        return Some(Kind("a loopback address"));
    }
    if address.to_ipv4_mapped().is_some() {
        return Some(Kind("an IPv4 address in IPv6 form"));
    }
    let [.., high, low] = segments;
    match (first, second) {
        // NAT64 and 6to4 carry an IPv4 address, which counts as itself.
        (0x64, 0xff9b) if segments.get(2..6) == Some(&[0; 4]) => v4_kind(from_halves(high, low)),
        (0x2002, second) => v4_kind(from_halves(second, segments.get(2).copied().unwrap_or(0))),
        (0x2001, 0) => Some(Kind("a tunnel's address")),
        (0x2001, 0x0db8) => Some(Kind("an address for documents only")),
        (0x2000..=0x3fff, _) => None,
        (0xfc00..=0xfdff, _) => Some(Kind("a private address")),
        (0xfe80..=0xfeff, _) => Some(Kind("a link-local address")),
        (0xff00..=0xffff, _) => Some(Kind("a multicast address")),
        _ => Some(Kind("not a public address")),
    }
}

fn from_halves(high: u16, low: u16) -> Ipv4Addr {
    let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
    Ipv4Addr::new(a, b, c, d)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(host: &str, address: &str, reach: Reach) -> bool {
        judge(&HostName::parse(host).unwrap(), address.parse().unwrap(), reach).is_some()
    }

    #[test]
    fn a_name_must_lead_to_a_public_address() {
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.100.100.200",
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "169.254.1.1",
            "168.63.129.16",
            "64:ff9b::a83f:8110",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.168.1.1",
            "198.18.0.1",
            "224.0.0.1",
            "239.255.255.250",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:1.1.1.1",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2002:a00:1::1",
            "2001::1",
            "2001:db8::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "5f00::1",
            "100::1",
        ] {
            assert!(refused("api.example.com", address, Reach::Granted), "{address}");
        }
        for address in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.1",
            "100.63.0.1",
            "168.63.129.15",
            "168.63.129.17",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "198.20.0.1",
            "223.1.1.1",
            "2606:4700::1",
            "2a00:1450::1",
            "64:ff9b::1.1.1.1",
            "2002:101:101::1",
        ] {
            assert!(!refused("api.example.com", address, Reach::Granted), "{address}");
        }
    }

    #[test]
    fn a_literal_in_the_grant_is_that_address_and_localhost_is_this_machine() {
        assert!(!refused("10.0.0.5", "10.0.0.5", Reach::Granted));
        assert!(refused("10.0.0.5", "10.0.0.6", Reach::Granted));
        assert!(!refused("[fd00::1]", "fd00::1", Reach::Granted));
        for address in ["127.0.0.1", "::1"] {
            assert!(!refused("localhost", address, Reach::Granted));
        }
        for address in ["10.0.0.1", "1.1.1.1"] {
            assert!(refused("localhost", address, Reach::Granted), "{address}");
        }
    }

    #[test]
    fn a_rehearsal_stays_on_this_machine() {
        assert!(!refused("127.0.0.1", "127.0.0.1", Reach::Loopback));
        assert!(!refused("localhost", "::1", Reach::Loopback));
        assert!(refused("10.0.0.5", "10.0.0.5", Reach::Loopback));
        assert!(refused("api.example.com", "1.1.1.1", Reach::Loopback));
        assert!(refused("api.example.com", "127.0.0.1", Reach::Loopback), "nor under another name");
    }
}
