//! URLs in one spelling: scheme, host, port, path and query, with nothing in them that two readers could read apart.

use super::host::{HostError, HostName};
use super::limits::URL_BYTES_MAX;
use serde::{Deserialize, Serialize};
use std::fmt;

/// How a request travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// In the open, for loopback only.
    Http,
    /// Over TLS.
    Https,
}

impl Scheme {
    /// The word before `://`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// The port that a URL without one means.
    pub fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// Who is spoken to: scheme, host and port.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    /// With or without TLS.
    pub scheme: Scheme,
    /// The host.
    pub host: HostName,
    /// The port, said or implied.
    pub port: u16,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.as_str(), self.host)?;
        if self.port == self.scheme.default_port() { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

/// A checked URL. Its text is exactly what is sent.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WebUrl {
    /// Who is spoken to.
    pub endpoint: Endpoint,
    /// The path, which starts with `/`.
    pub path: String,
    /// What follows `?`.
    pub query: Option<String>,
}

impl fmt::Display for WebUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.endpoint, self.path)?;
        self.query.as_ref().map_or(Ok(()), |query| write!(f, "?{query}"))
    }
}

/// Why a text is no URL that may be judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Longer than any URL needs to be.
    #[error("the URL has more than {URL_BYTES_MAX} bytes")]
    TooLong,
    /// Spaces, control characters, letters beyond ASCII, quotes, backslashes.
    #[error("the URL has a character that must be percent-encoded, or a backslash")]
    BadCharacter,
    /// Neither `https://` nor `http://`.
    #[error("the URL does not start with `https://` or `http://`")]
    Scheme,
    /// `user:password@host`.
    #[error("the URL has a user name before the host")]
    UserInfo,
    /// The host is not acceptable.
    #[error("{0}")]
    Host(#[from] HostError),
    /// No number from 1 to 65535.
    #[error("the port is not a number from 1 to 65535")]
    Port,
    /// `#…`.
    #[error("the URL has a fragment")]
    Fragment,
    /// `.`, `..`, nothing between two slashes, also percent-encoded.
    #[error("the path has an empty part, `.` or `..`")]
    DotSegment,
    /// A `%` that two hex digits do not follow, or one that hides a slash, a backslash, a `%` or a control character.
    #[error("the path has a percent-encoding that hides a slash, a dot, a `%` or a control character")]
    Encoding,
}

impl WebUrl {
    /// Reads an absolute URL. An upper-case scheme or host is taken in lower case; nothing else is repaired.
    ///
    /// # Errors
    /// The text can be read in more than one way, or is no URL.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        if text.len() > URL_BYTES_MAX {
            return Err(UrlError::TooLong);
        }
        if text.bytes().any(|b| !is_url_byte(b)) {
            return Err(UrlError::BadCharacter);
        }
        let (scheme, rest) = text.split_once("://").ok_or(UrlError::Scheme)?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "https" => Scheme::Https,
            "http" => Scheme::Http,
            _ => return Err(UrlError::Scheme),
        };
        if rest.contains('#') {
            return Err(UrlError::Fragment);
        }
        let (rest, query) = match rest.split_once('?') {
            Some((rest, query)) => (rest, Some(query.to_owned())),
            None => (rest, None),
        };
        let (authority, path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, "/"),
        };
        let endpoint = endpoint(scheme, authority)?;
        check_path(path)?;
        if let Some(query) = &query {
            check_encodings(query)?;
        }
        Ok(Self { endpoint, path: path.to_owned(), query })
    }
}

fn endpoint(scheme: Scheme, authority: &str) -> Result<Endpoint, UrlError> {
    if authority.contains('@') {
        return Err(UrlError::UserInfo);
    }
    // The colons inside of `[…]` belong to the address.
    let tail = authority.rfind(']').map_or(0, |at| at.saturating_add(1));
    let colon = authority.get(tail..).and_then(|rest| rest.find(':')).map(|at| tail.saturating_add(at));
    let (host, port) = match colon.and_then(|at| authority.split_at_checked(at)) {
        Some((host, port)) => (host, port.strip_prefix(':')),
        None => (authority, None),
    };
    let host = HostName::parse(&host.to_ascii_lowercase())?;
    let port = match port {
        None => scheme.default_port(),
        Some(digits) => read_port(digits).ok_or(UrlError::Port)?,
    };
    Ok(Endpoint { scheme, host, port })
}

fn read_port(digits: &str) -> Option<u16> {
    let plain = digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
    if plain { digits.parse().ok() } else { None }
}

/// Checks a path: it starts with `/`, and every part of it says what it means.
///
/// # Errors
/// A part is empty (but for the last), `.` or `..`, or an encoding hides something.
pub fn check_path(path: &str) -> Result<(), UrlError> {
    let inner = path.strip_prefix('/').ok_or(UrlError::DotSegment)?;
    if path.bytes().any(|b| !is_url_byte(b) || matches!(b, b'?' | b'#' | b'[' | b']')) {
        return Err(UrlError::BadCharacter);
    }
    let last = inner.matches('/').count();
    for (index, part) in inner.split('/').enumerate() {
        let plain = part.replace("%2e", ".").replace("%2E", ".");
        // Some servers drop `;parameters` before they look at dots.
        let bare = plain.split(';').next().unwrap_or_default();
        let empty = part.is_empty() && index != last;
        if empty || matches!(bare, "." | "..") {
            return Err(UrlError::DotSegment);
        }
        if part.contains("%2e") || part.contains("%2E") {
            return Err(UrlError::Encoding);
        }
        for code in encodings(part) {
            match code? {
                b'/' | b'\\' | b'%' | 0..=0x1f | 0x7f => return Err(UrlError::Encoding),
                _ => {}
            }
        }
    }
    Ok(())
}

/// In a query anything may be encoded but control characters that end lines.
fn check_encodings(query: &str) -> Result<(), UrlError> {
    for code in encodings(query) {
        code?;
    }
    Ok(())
}

/// The bytes that the percent-encodings of a text stand for.
fn encodings(text: &str) -> impl Iterator<Item = Result<u8, UrlError>> + '_ {
    text.split('%').skip(1).map(|rest| {
        let digits = rest.get(..2).filter(|two| two.bytes().all(|b| b.is_ascii_hexdigit()));
        digits.and_then(|two| u8::from_str_radix(two, 16).ok()).ok_or(UrlError::Encoding)
    })
}

/// Visible ASCII without what browsers and servers disagree about.
fn is_url_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'"' | b'<' | b'>' | b'^' | b'`' | b'{' | b'|' | b'}')
}
