//! Exchanges as the guest saw them: recorded at every call, and played back in place of the network.
//!
//! INVARIANT (no-secret-recorded): a request is recorded as the guest wrote it, with its `{{secret:name}}` places, and an
//! answer after secrets were overwritten, so that a recording can be shown, stored and committed.

use crate::bindings::http::{HttpError, Request, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

/// What one call sent and was answered, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Recording {
    /// The exchanges.
    pub exchanges: Vec<Exchange>,
}

/// One `http.send`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Exchange {
    /// What the guest asked for.
    pub request: SentRequest,
    /// What it was told.
    pub answer: Answered,
    /// How many requests may have left the machine for it, redirects included.
    pub left: u32,
}

/// A request as the guest wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SentRequest {
    /// The method.
    pub method: String,
    /// The URL.
    pub url: String,
    /// Headers, secrets by name.
    pub headers: Vec<(String, String)>,
    /// The body, secrets by name.
    pub body: Content,
}

/// What the guest was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "kebab-case")]
pub enum Answered {
    /// An answer of the server, whatever its status.
    Response {
        /// The status.
        status: u16,
        /// Headers, secrets overwritten.
        headers: Vec<(String, String)>,
        /// The body, secrets overwritten.
        body: Content,
    },
    /// Not granted; nothing was sent.
    Denied {
        /// Why.
        message: String,
    },
    /// Malformed or over a limit; nothing was sent.
    InvalidRequest {
        /// Why.
        message: String,
    },
    /// No connection; nothing was sent.
    NotSent {
        /// Why.
        message: String,
    },
    /// It may have been sent, and no usable answer came back.
    MaybeSent {
        /// Why.
        message: String,
    },
}

/// Bytes, as text where they are text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Content {
    /// UTF-8.
    Text(String),
    /// Anything else.
    Base64(String),
}

impl Content {
    /// Bytes as content.
    pub fn of(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Base64(STANDARD.encode(bytes)),
        }
    }

    /// The bytes; damaged base64 is empty.
    pub fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Text(text) => text.clone().into_bytes(),
            Self::Base64(text) => STANDARD.decode(text).unwrap_or_default(),
        }
    }
}

impl SentRequest {
    pub(super) fn of(request: &Request) -> Self {
        Self {
            method: request.method.clone(),
            url: request.url.clone(),
            headers: request.headers.clone(),
            body: Content::of(&request.body),
        }
    }
}

impl Answered {
    pub(super) fn of(answer: &Result<Response, HttpError>) -> Self {
        match answer {
            Ok(response) => Self::Response {
                status: response.status,
                headers: response.headers.clone(),
                body: Content::of(&response.body),
            },
            Err(HttpError::Denied(message)) => Self::Denied { message: message.clone() },
            Err(HttpError::InvalidRequest(message)) => Self::InvalidRequest { message: message.clone() },
            Err(HttpError::NotSent(message)) => Self::NotSent { message: message.clone() },
            Err(HttpError::MaybeSent(message)) => Self::MaybeSent { message: message.clone() },
        }
    }

    pub(super) fn replayed(&self) -> Result<Response, HttpError> {
        match self {
            Self::Response { status, headers, body } => {
                Ok(Response { status: *status, headers: headers.clone(), body: body.bytes() })
            }
            Self::Denied { message } => Err(HttpError::Denied(message.clone())),
            Self::InvalidRequest { message } => Err(HttpError::InvalidRequest(message.clone())),
            Self::NotSent { message } => Err(HttpError::NotSent(message.clone())),
            Self::MaybeSent { message } => Err(HttpError::MaybeSent(message.clone())),
        }
    }
}
