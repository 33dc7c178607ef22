//! One conversation with the gateway: requests with the key's placeholder, replies sorted into what they prove.
//!
//! INVARIANT (doubt-is-unknown): a request that may have left and has no readable answer is `unknown`; only when the
//! very first one did not leave is it `not-sent`.

use crate::form::Form;
use crate::refusals::Refusal;
use crate::settings::Settings;
use crate::wire::ErrorReply;
use renewd_plugin_sdk::payment::PaymentError;
use renewd_plugin_sdk::payment::http::{HttpError, Request, Response};
use renewd_plugin_sdk::words::error_detail;
use serde::de::DeserializeOwned;

/// The way out: the host's `http.send`, or a test's.
pub trait Http {
    /// Sends one request and waits for its answer.
    ///
    /// # Errors
    /// As the host says: what was not sent, and what may have been.
    fn send(&mut self, request: &Request) -> Result<Response, HttpError>;
}

/// The host puts the secret's value in the place of this.
const AUTHORIZATION: &str = "Bearer {{secret:stripe-key}}";
const FORM: &str = "application/x-www-form-urlencoded";
/// The version of the API whose objects are read here.
const API_VERSION: &str = "2024-06-20";
/// Longest idempotency key that the gateway takes.
const KEY_MAX: usize = 255;
/// The code of the error for an answer over the host's limit.
pub(crate) const TOO_LARGE: &str = "answer-too-large";

/// What a readable reply proves.
#[derive(Debug)]
pub(crate) enum Answer<T> {
    /// It was done, or found.
    Done(T),
    /// It was looked at and refused.
    Refused(Refusal),
}

/// A conversation under one configuration.
pub(crate) struct Gateway<'a> {
    http: &'a mut dyn Http,
    pub(crate) settings: Settings,
    /// Requests of this call so far; the host allows a certain number.
    pub(crate) requests: u32,
    sent: bool,
}

impl<'a> Gateway<'a> {
    /// A conversation in which nothing has been sent.
    pub(crate) fn new(http: &'a mut dyn Http, config: &str) -> Result<Self, PaymentError> {
        let settings = Settings::read(config).map_err(|findings| {
            let first = findings.first().map_or("", |finding| &finding.message);
            not_sent("bad-config", format!("the plugin's configuration cannot be used: {first}"))
        })?;
        Ok(Self { http, settings, requests: 0, sent: false })
    }

    /// Does something, at most once for each key.
    pub(crate) fn post<T: DeserializeOwned>(
        &mut self,
        path: &str,
        form: &Form,
        key: &str,
    ) -> Result<Answer<T>, PaymentError> {
        let plain = !key.is_empty() && key.len() <= KEY_MAX && key.bytes().all(|b| b.is_ascii_graphic());
        if !plain {
            return Err(self.trouble("bad-key", "the idempotency key is none that the gateway takes".to_owned()));
        }
        let mut request = self.request("POST", path);
        request.headers.push(("Content-Type".to_owned(), FORM.to_owned()));
        request.headers.push(("Idempotency-Key".to_owned(), key.to_owned()));
        request.body = form.as_str().as_bytes().to_vec();
        self.exchange(&request)
    }

    /// Does something that may be done any number of times. Without a key: under one, a gateway would repeat its first
    /// answer, and a failure with it, for a day.
    pub(crate) fn post_again<T: DeserializeOwned>(&mut self, path: &str) -> Result<Answer<T>, PaymentError> {
        let mut request = self.request("POST", path);
        request.headers.push(("Content-Type".to_owned(), FORM.to_owned()));
        self.exchange(&request)
    }

    /// Looks something up.
    pub(crate) fn get<T: DeserializeOwned>(&mut self, path: &str, query: &Form) -> Result<Answer<T>, PaymentError> {
        let mark = if query.as_str().is_empty() { "" } else { "?" };
        let request = self.request("GET", &format!("{path}{mark}{}", query.as_str()));
        self.exchange(&request)
    }

    /// An error with what is known of the requests so far.
    pub(crate) fn trouble(&self, code: &str, message: String) -> PaymentError {
        if self.sent { unknown(code, message) } else { not_sent(code, message) }
    }

    fn request(&self, method: &str, path: &str) -> Request {
        let headers =
            [("Authorization", AUTHORIZATION), ("Accept", "application/json"), ("Stripe-Version", API_VERSION)];
        Request {
            method: method.to_owned(),
            url: format!("{}{path}", self.settings.api_base),
            headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
            body: Vec::new(),
        }
    }

    fn exchange<T: DeserializeOwned>(&mut self, request: &Request) -> Result<Answer<T>, PaymentError> {
        self.requests = self.requests.saturating_add(1);
        let response = self.http.send(request);
        self.sent |= matches!(response, Ok(_) | Err(HttpError::MaybeSent(_)));
        match response {
            Ok(response) => answer(&response),
            Err(HttpError::Denied(why)) => Err(self.trouble("http-denied", why)),
            Err(HttpError::InvalidRequest(why)) => Err(self.trouble("http-invalid", why)),
            Err(HttpError::NotSent(why)) => Err(self.trouble("gateway-unreachable", why)),
            Err(HttpError::MaybeSent(why)) if is_too_large(&why) => Err(unknown(TOO_LARGE, why)),
            Err(HttpError::MaybeSent(why)) => Err(unknown("no-answer", why)),
        }
    }
}

/// Whether the host's sentence is the one for a body over its limit. There is no other sign of it; a host that words it
/// differently costs an `unknown`, nothing worse.
fn is_too_large(why: &str) -> bool {
    let bytes = why.strip_prefix("the answer has more than ").and_then(|rest| rest.strip_suffix(" bytes"));
    bytes.is_some_and(|count| !count.is_empty() && count.bytes().all(|b| b.is_ascii_digit()))
}

/// INVARIANT (doubt-is-unknown): every reply that is neither a readable object nor a readable refusal ends here.
fn answer<T: DeserializeOwned>(response: &Response) -> Result<Answer<T>, PaymentError> {
    let status = response.status;
    match status {
        200..=299 => match read(&response.body) {
            Some(object) => Ok(Answer::Done(object)),
            None => Err(unknown("unreadable-reply", "the gateway's reply cannot be read, or was cut short".to_owned())),
        },
        400..=404 => match read::<ErrorReply>(&response.body).map(|reply| Refusal::of(status, reply.error)) {
            Some(Some(refusal)) => Ok(Answer::Refused(refusal)),
            Some(None) => {
                let message = format!("the gateway answers {status}, and that says nothing of the charge");
                Err(unknown("gateway-conflict", message))
            }
            None => {
                Err(unknown("unreadable-reply", format!("the gateway answers {status}, and its reason cannot be read")))
            }
        },
        409 => Err(unknown("gateway-conflict", "the gateway answers 409: another request is under way".to_owned())),
        429 => Err(unknown("gateway-busy", "the gateway answers 429: too many requests".to_owned())),
        _ => Err(unknown("gateway-error", format!("the gateway answers {status}"))),
    }
}

/// Damage anywhere counts, also in a field that nobody looks at.
fn read<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    serde_json::from_str(str::from_utf8(body).ok()?).ok()
}

/// Nothing has left the plugin.
pub(crate) fn not_sent(code: &str, message: String) -> PaymentError {
    PaymentError::NotSent(error_detail(code, message))
}

/// Only the gateway can tell.
pub(crate) fn unknown(code: &str, message: String) -> PaymentError {
    PaymentError::Unknown(error_detail(code, message))
}

/// A refusal of something that moves no money.
pub(crate) fn refused(refusal: &Refusal) -> PaymentError {
    let why = refusal.decline().map_or_else(|| "it is in doubt".to_owned(), |decline| decline.message);
    let code = match refusal.status {
        401 => "gateway-auth",
        403 => "gateway-forbidden",
        _ => "gateway-refused",
    };
    unknown(code, format!("the gateway answers {}: {why}", refusal.status))
}
