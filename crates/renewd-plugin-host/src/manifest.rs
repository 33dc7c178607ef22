//! What a plugin says of itself and of its configuration, checked.

use crate::Metadata;
use crate::bindings::types;
use crate::invalid_output::InvalidOutput;
use crate::limits::Limits;
use crate::text::{count, identifier, metadata, readable, word};
use renewd_core::web::{Grant, HostName, METHODS, WebUrl, check_path, is_method};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a plugin is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// It prices renewals.
    Pricing,
    /// It collects money.
    Payment,
}

impl Role {
    /// The word used in documents and interface names.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pricing => "pricing",
            Self::Payment => "payment",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The host of a permission that leaves it to the document.
const ANY_HOST: &str = "*";
/// The port of a permission that leaves it to the document.
const ANY_PORT: u16 = 0;

/// One kind of HTTP request that a plugin asks to send; it is granted by a `Plugin` document only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Permission {
    /// Upper case, such as `POST`.
    pub method: String,
    /// `https` or `http`.
    pub scheme: String,
    /// Host name or address in its one spelling, or `*`: whichever the document grants.
    pub host: String,
    /// Port, or 0: whichever the document grants.
    pub port: u16,
    /// Starts and ends with `/`.
    pub path_prefix: String,
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let port = match (self.scheme.as_str(), self.port) {
            ("https", 443) | ("http", 80) => String::new(),
            (_, 0) => ":*".to_owned(),
            (_, port) => format!(":{port}"),
        };
        write!(f, "{} {}://{}{port}{}", self.method, self.scheme, self.host, self.path_prefix)
    }
}

impl Permission {
    /// Whether a request is of this kind. It also has to be granted.
    pub(crate) fn covers(&self, method: &str, url: &WebUrl) -> bool {
        let endpoint = &url.endpoint;
        self.method == method
            && self.scheme == endpoint.scheme.as_str()
            && (self.host == ANY_HOST || HostName::parse(&self.host).as_ref() == Ok(&endpoint.host))
            && (self.port == ANY_PORT || self.port == endpoint.port)
            && url.path.starts_with(&self.path_prefix)
    }

    /// Whether a grant leaves anything of this kind to be sent.
    pub fn meets(&self, grant: &Grant) -> bool {
        let endpoint = grant.endpoint();
        let prefixes = (self.path_prefix.as_str(), grant.path_prefix());
        self.method == grant.method()
            && self.scheme == endpoint.scheme.as_str()
            && (self.host == ANY_HOST || HostName::parse(&self.host).as_ref() == Ok(&endpoint.host))
            && (self.port == ANY_PORT || self.port == endpoint.port)
            && (prefixes.0.starts_with(prefixes.1) || prefixes.1.starts_with(prefixes.0))
    }
}

/// What a plugin says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// The plugin's own name.
    pub name: String,
    /// The plugin's own version.
    pub version: String,
    /// What it is for; equal to the exported interface.
    pub role: Role,
    /// HTTP requests that it asks to send; none for pricing.
    pub permissions: Vec<Permission>,
    /// Seconds for which the gateway remembers an idempotency key.
    pub idempotency_window_seconds: u64,
    /// Seconds for which a charge may exist unseen by `find-charge`.
    pub visibility_window_seconds: u64,
    /// What it can do, such as `refund`.
    pub capabilities: Vec<String>,
    /// Further names and values.
    pub metadata: Metadata,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The configuration cannot be used.
    Error,
    /// It can, but probably should not.
    Warning,
}

/// One thing that is wrong with a plugin's configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// JSON Pointer into the configuration; empty for the whole.
    pub pointer: String,
    /// A short kebab-case word.
    pub code: String,
    /// One sentence.
    pub message: String,
    /// The next step.
    pub hint: Option<String>,
}

pub(crate) fn manifest(raw: types::Manifest, wanted: Role, limits: &Limits) -> Result<Manifest, InvalidOutput> {
    let role = match raw.role {
        types::Role::Pricing => Role::Pricing,
        types::Role::Payment => Role::Payment,
    };
    if role != wanted {
        return Err(InvalidOutput::OtherRole { found: role, wanted });
    }
    let most = if role == Role::Pricing { 0 } else { limits.list_entries };
    count(raw.permissions.len(), most, || "permissions".to_owned())?;
    count(raw.capabilities.len(), limits.list_entries, || "capabilities".to_owned())?;
    Ok(Manifest {
        name: identifier(raw.name, "name", limits)?,
        version: identifier(raw.version, "version", limits)?,
        role,
        permissions: raw
            .permissions
            .into_iter()
            .enumerate()
            .map(|(index, raw)| permission(raw, index, limits))
            .collect::<Result<_, _>>()?,
        idempotency_window_seconds: raw.idempotency_window_seconds,
        visibility_window_seconds: raw.visibility_window_seconds,
        capabilities: raw.capabilities.into_iter().map(|raw| word(raw, "capabilities")).collect::<Result<_, _>>()?,
        metadata: metadata(raw.metadata, "manifest", limits)?,
    })
}

fn permission(raw: types::Permission, index: usize, limits: &Limits) -> Result<Permission, InvalidOutput> {
    let at = format!("permissions/{index}");
    let permission = Permission {
        method: identifier(raw.method, &at, limits)?,
        scheme: identifier(raw.scheme, &at, limits)?,
        host: identifier(raw.host, &at, limits)?,
        port: raw.port,
        path_prefix: identifier(raw.path_prefix, &at, limits)?,
    };
    match permission_fault(&permission) {
        Some(why) => Err(InvalidOutput::BadPermission { at, why }),
        None => Ok(permission),
    }
}

fn permission_fault(permission: &Permission) -> Option<String> {
    if !is_method(&permission.method) {
        return Some(format!("the method is not one of {}", METHODS.join(", ")));
    }
    if !matches!(permission.scheme.as_str(), "https" | "http") {
        return Some("the scheme is neither `https` nor `http`".to_owned());
    }
    if permission.host != ANY_HOST
        && let Err(fault) = HostName::parse(&permission.host)
    {
        return Some(fault.to_string());
    }
    if !permission.path_prefix.ends_with('/') || check_path(&permission.path_prefix).is_err() {
        return Some("the path prefix does not start and end with `/`, or is no plain path".to_owned());
    }
    None
}

pub(crate) fn findings(raw: Vec<types::Finding>, limits: &Limits) -> Result<Vec<Finding>, InvalidOutput> {
    count(raw.len(), limits.list_entries, || "findings".to_owned())?;
    raw.into_iter().enumerate().map(|(index, raw)| finding(raw, index, limits)).collect()
}

fn finding(raw: types::Finding, index: usize, limits: &Limits) -> Result<Finding, InvalidOutput> {
    let at = format!("findings/{index}");
    let pointer = readable(raw.pointer, &at, limits)?;
    if !pointer.is_empty() && !pointer.starts_with('/') {
        return Err(InvalidOutput::BadText { at: format!("{at}/pointer") });
    }
    Ok(Finding {
        severity: match raw.severity {
            types::Severity::Error => Severity::Error,
            types::Severity::Warning => Severity::Warning,
        },
        pointer,
        code: word(raw.code, &at)?,
        message: readable(raw.message, &at, limits)?,
        hint: raw.hint.map(|hint| readable(hint, &at, limits)).transpose()?,
    })
}
