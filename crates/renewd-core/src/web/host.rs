//! Host names and literal addresses: one spelling each.

use super::limits::{HOST_BYTES_MAX, LABEL_BYTES_MAX};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::fmt;

/// A host: a name in lower-case ASCII, or an address in its one canonical form.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HostName {
    /// A name to be looked up.
    Name(String),
    /// A literal address.
    Address(IpAddr),
}

/// Why a text is no host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// Nothing is there.
    #[error("the host is missing")]
    Empty,
    /// Too long, or a label is.
    #[error("the host name is too long")]
    TooLong,
    /// `*` and the like.
    #[error("a host is named in full, without `*`")]
    Wildcard,
    /// A character that a host name cannot have.
    #[error("the host name has a character other than a-z, 0-9, `-` and `.`")]
    BadCharacter,
    /// Upper-case letters, where one spelling is wanted.
    #[error("the host name is not in lower case")]
    UpperCase,
    /// A dot at the end, or two in a row.
    #[error("the host name has an empty part")]
    EmptyLabel,
    /// `127.1`, `0x7f.0.0.1`, `[::ffff:7f00:1]` and the like.
    #[error("the address is not in its usual form")]
    OddAddress,
}

impl HostName {
    /// Reads a host in its one spelling.
    ///
    /// # Errors
    /// The text is no host, or not in its one spelling.
    pub fn parse(text: &str) -> Result<Self, HostError> {
        if let Some(inner) = text.strip_prefix('[') {
            let literal = inner.strip_suffix(']').ok_or(HostError::OddAddress)?;
            return ipv6(literal).map(|address| Self::Address(IpAddr::V6(address)));
        }
        check_name(text)?;
        // A last label of digits (or `0x…`) makes every reader of URLs see an address, whatever the others are.
        let last = text.rsplit('.').next().unwrap_or_default();
        if last.bytes().all(|b| b.is_ascii_digit()) || last.starts_with("0x") {
            let address: Ipv4Addr = text.parse().map_err(|_| HostError::OddAddress)?;
            return Ok(Self::Address(IpAddr::V4(address)));
        }
        Ok(Self::Name(text.to_owned()))
    }

    /// Whether it names this machine by itself: `localhost` or a loopback address.
    pub fn is_loopback(&self) -> bool {
        match self {
            Self::Name(name) => name == "localhost",
            Self::Address(address) => is_loopback(*address),
        }
    }
}

/// Whether an address is this machine.
pub fn is_loopback(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_loopback(),
        IpAddr::V6(v6) => v6 == Ipv6Addr::LOCALHOST || v6.to_ipv4_mapped().is_some_and(|v4| v4.is_loopback()),
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(IpAddr::V4(address)) => write!(f, "{address}"),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

fn ipv6(literal: &str) -> Result<Ipv6Addr, HostError> {
    let address: Ipv6Addr = literal.parse().map_err(|_| HostError::OddAddress)?;
    // An address that embeds an IPv4 one has that one's own spelling.
    if address.to_ipv4_mapped().is_some() || address.to_string() != literal {
        return Err(HostError::OddAddress);
    }
    Ok(address)
}

fn check_name(text: &str) -> Result<(), HostError> {
    if text.is_empty() {
        return Err(HostError::Empty);
    }
    if text.contains('*') {
        return Err(HostError::Wildcard);
    }
    if text.len() > HOST_BYTES_MAX {
        return Err(HostError::TooLong);
    }
    if text.bytes().any(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'))) {
        return Err(HostError::BadCharacter);
    }
    if text.bytes().any(|b| b.is_ascii_uppercase()) {
        return Err(HostError::UpperCase);
    }
    for label in text.split('.') {
        if label.is_empty() {
            return Err(HostError::EmptyLabel);
        }
        if label.len() > LABEL_BYTES_MAX {
            return Err(HostError::TooLong);
        }
        if label.starts_with('-') || label.ends_with('-') {
            return Err(HostError::BadCharacter);
        }
    }
    Ok(())
}
