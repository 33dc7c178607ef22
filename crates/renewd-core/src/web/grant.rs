//! A grant: one kind of HTTP request that a plugin may send, written `POST https://api.example.com/v1/`.

use super::host::HostError;
use super::url::{Endpoint, Scheme, UrlError, WebUrl};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The methods that can be granted.
pub const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

/// Whether a method can be granted.
pub fn is_method(text: &str) -> bool {
    METHODS.contains(&text)
}

/// One kind of HTTP request: method, endpoint, and the start of the path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Grant {
    method: String,
    endpoint: Endpoint,
    path_prefix: String,
}

/// Why a text is no grant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    /// Not `METHOD URL`.
    #[error("a grant is a method, a space and a URL")]
    Form,
    /// No known method, or not in upper case.
    #[error("`{0}` is not a method that can be granted")]
    Method(String),
    /// The URL cannot be judged.
    #[error("{0}")]
    Url(#[from] UrlError),
    /// A path without `/` at its end would also cover longer names.
    #[error("the path does not end with `/`")]
    PathEnd,
    /// `?…`.
    #[error("a grant has no `?`")]
    Query,
    /// `http` beyond this machine.
    #[error("`http` can be granted for this machine only")]
    OpenHttp,
}

impl GrantError {
    /// The next step.
    pub fn hint(&self) -> String {
        match self {
            Self::Form => "write it like `POST https://api.example.com/v1/`".to_owned(),
            Self::Method(_) => format!("write one of {} in front, one grant for each method", METHODS.join(", ")),
            Self::Url(UrlError::Host(HostError::Wildcard)) => "write one grant for each host".to_owned(),
            Self::Url(UrlError::Host(HostError::UpperCase)) => "write the host in lower case".to_owned(),
            Self::Url(UrlError::Host(HostError::BadCharacter)) => {
                "write the host as `api.example.com`; other letters in their `xn--` form".to_owned()
            }
            Self::Url(UrlError::Host(HostError::OddAddress)) => {
                "write an address as `192.0.2.1` or `[2001:db8::1]`".to_owned()
            }
            Self::Url(_) => "write a plain URL such as `https://api.example.com/v1/`".to_owned(),
            Self::PathEnd => "end it with `/`: the grant covers everything below".to_owned(),
            Self::Query => "end it with the path; every query below it is covered".to_owned(),
            Self::OpenHttp => "write `https`; `http` is for `localhost`, `127.0.0.1` and `[::1]`".to_owned(),
        }
    }
}

impl Grant {
    /// The grant that a request would need: its method, endpoint and folder.
    pub fn needed_for(method: &str, url: &WebUrl) -> Self {
        let folder = url.path.rfind('/').and_then(|at| url.path.get(..=at)).unwrap_or("/");
        Self { method: method.to_owned(), endpoint: url.endpoint.clone(), path_prefix: folder.to_owned() }
    }

    /// Whether a request is of this kind.
    pub fn covers(&self, method: &str, url: &WebUrl) -> bool {
        self.method == method && self.endpoint == url.endpoint && url.path.starts_with(&self.path_prefix)
    }

    /// Whether everything of another grant is of this kind too.
    pub fn includes(&self, other: &Self) -> bool {
        self.method == other.method
            && self.endpoint == other.endpoint
            && other.path_prefix.starts_with(&self.path_prefix)
    }

    /// The method.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// Who may be spoken to.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The start of every path, which ends with `/`.
    pub fn path_prefix(&self) -> &str {
        &self.path_prefix
    }
}

impl std::str::FromStr for Grant {
    type Err = GrantError;

    fn from_str(text: &str) -> Result<Self, GrantError> {
        let (method, url) = text.split_once(' ').ok_or(GrantError::Form)?;
        if !is_method(method) {
            return Err(GrantError::Method(method.chars().take(40).collect()));
        }
        if url.contains(' ') || url.is_empty() {
            return Err(GrantError::Form);
        }
        // In a document one spelling is wanted, although a request may have another.
        let authority = url.split_once("://").map_or("", |(_, rest)| rest.split('/').next().unwrap_or_default());
        if authority.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(UrlError::Host(HostError::UpperCase).into());
        }
        let url = WebUrl::parse(url)?;
        if url.query.is_some() {
            return Err(GrantError::Query);
        }
        if !url.path.ends_with('/') {
            return Err(GrantError::PathEnd);
        }
        if url.endpoint.scheme == Scheme::Http && !url.endpoint.host.is_loopback() {
            return Err(GrantError::OpenHttp);
        }
        Ok(Self { method: method.to_owned(), endpoint: url.endpoint, path_prefix: url.path })
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}{}", self.method, self.endpoint, self.path_prefix)
    }
}

impl TryFrom<String> for Grant {
    type Error = GrantError;

    fn try_from(text: String) -> Result<Self, GrantError> {
        text.parse()
    }
}

impl From<Grant> for String {
    fn from(grant: Grant) -> Self {
        grant.to_string()
    }
}
