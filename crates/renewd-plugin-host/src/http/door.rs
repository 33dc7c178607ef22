//! The door through which one call's requests leave: judged, filled in, sent, followed, blanked, recorded, counted.

use super::access::Access;
use super::blank::{blank, blank_text, blank_value};
use super::fill::{fill, has_place};
use super::network::{NoAddress, Real, Way, next_exchange};
use super::recording::{Answered, Exchange, Recording, SentRequest};
use super::redirect;
use super::request::{Checked, check};
use super::wire::{Course, Outgoing, Raw, exchange};
use crate::bindings::http::{HttpError, Request, Response};
use crate::limits::Limits;
use crate::manifest::Permission;
use renewd_core::web::{Grant, HostName};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The door of one call.
pub(crate) struct Door {
    access: Arc<Access>,
    asked: Arc<[Permission]>,
    calls: usize,
    /// Time that requests have taken so far.
    waited: Duration,
    /// Requests that may have left the machine.
    pub(crate) sent: u32,
    pub(crate) recording: Recording,
}

impl Door {
    /// A door for a plugin with that access, whose manifest asks for that.
    pub(crate) fn new(access: Arc<Access>, asked: Arc<[Permission]>) -> Self {
        Self { access, asked, calls: 0, waited: Duration::ZERO, sent: 0, recording: Recording::default() }
    }

    /// A door through which nothing goes.
    pub(crate) fn closed() -> Self {
        Self::new(Arc::default(), Arc::default())
    }

    /// The text without any secret in it.
    pub(crate) fn blank_text(&self, text: String) -> String {
        blank_text(text, &self.access.secrets)
    }

    /// The value without any secret in its texts.
    pub(crate) fn blank_value<T: Serialize + DeserializeOwned>(&self, value: T) -> serde_json::Result<T> {
        blank_value(value, &self.access.secrets)
    }

    /// Does what `http.send` promises.
    pub(crate) fn send(&mut self, request: &Request, limits: &Limits) -> Result<Response, HttpError> {
        let before = self.sent;
        let (recorded, answer) = match self.admit(request, limits) {
            Ok(checked) => {
                let recorded = SentRequest::of(request);
                let answer = self.deliver(&recorded, checked, limits);
                (Some(recorded), answer)
            }
            Err(error) => (None, Err(error)),
        };
        let answer = answer.map_err(|error| self.without_secrets(error));
        if let Some(request) = recorded {
            let left = self.sent.saturating_sub(before);
            self.recording.exchanges.push(Exchange { request, answer: Answered::of(&answer), left });
        }
        answer
    }

    /// Judges a request before anything is done for it.
    fn admit(&mut self, request: &Request, limits: &Limits) -> Result<Checked, HttpError> {
        if self.calls >= limits.http_calls {
            return Err(HttpError::InvalidRequest(format!("one call may send at most {} requests", limits.http_calls)));
        }
        self.calls = self.calls.saturating_add(1);
        let checked = check(request, limits).map_err(HttpError::InvalidRequest)?;
        self.access.permit(&self.asked, &checked.method, &checked.url).map_err(HttpError::Denied)?;
        Ok(checked)
    }

    fn deliver(&mut self, recorded: &SentRequest, checked: Checked, limits: &Limits) -> Result<Response, HttpError> {
        let way = self.access.network.way.clone();
        match way {
            Way::Real(real) => {
                let left = limits.http_call_deadline.saturating_sub(self.waited);
                if left.is_zero() {
                    let most = limits.http_call_deadline.as_secs();
                    return Err(HttpError::NotSent(format!(
                        "the requests of one call may take at most {most} seconds together, and these are used up"
                    )));
                }
                let begun = Instant::now();
                let answer = self.follow(&real, checked, left.min(limits.http_deadline), limits);
                self.waited = self.waited.saturating_add(begun.elapsed());
                answer
            }
            Way::Playing(exchanges) => match next_exchange(&exchanges) {
                Some(exchange) if exchange.request == *recorded => {
                    self.sent = self.sent.saturating_add(exchange.left);
                    exchange.answer.replayed()
                }
                Some(_) => Err(HttpError::Denied("the recording has another request here".to_owned())),
                None => Err(HttpError::Denied("the recording has no further request".to_owned())),
            },
        }
    }

    /// Sends a request and whatever redirects make of it, all within one time.
    fn follow(
        &mut self,
        real: &Arc<Real>,
        first: Checked,
        time: Duration,
        limits: &Limits,
    ) -> Result<Response, HttpError> {
        let deadline = Instant::now().checked_add(time).unwrap_or_else(Instant::now);
        let mut request = first;
        let mut hops = 0_usize;
        loop {
            let raw = self.hop(real, &request, deadline, limits, hops)?;
            let location = raw.headers.iter().find(|(name, _)| name == "location");
            let location = location.map(|(_, value)| String::from_utf8_lossy(value).into_owned());
            let next = redirect::next(&request, raw.status, location.as_deref()).map_err(HttpError::MaybeSent)?;
            let Some(next) = next else { return Ok(self.respond(raw)) };
            hops = hops.saturating_add(1);
            if hops > limits.http_redirects {
                return Err(HttpError::MaybeSent(format!(
                    "the answer redirects more than {} times",
                    limits.http_redirects
                )));
            }
            self.judge_redirect(&request, &next).map_err(HttpError::MaybeSent)?;
            request = next;
        }
    }

    /// A redirect is a request like any other, and it never takes a secret to another endpoint.
    fn judge_redirect(&self, from: &Checked, next: &Checked) -> Result<(), String> {
        let permitted = self.access.permit(&self.asked, &next.method, &next.url);
        permitted.map_err(|why| format!("the answer redirects to another place: {why}"))?;
        let secret = has_place(&next.body) || next.headers.iter().any(|(_, value)| has_place(value.as_bytes()));
        if secret && from.url.endpoint != next.url.endpoint {
            return Err(format!(
                "the answer redirects to `{}`, and the request carries a secret that is not taken there",
                next.url.endpoint
            ));
        }
        Ok(())
    }

    fn hop(
        &mut self,
        real: &Arc<Real>,
        request: &Checked,
        deadline: Instant,
        limits: &Limits,
        hops: usize,
    ) -> Result<Raw, HttpError> {
        let not_sent = |why: String| if hops == 0 { HttpError::NotSent(why) } else { HttpError::MaybeSent(why) };
        let proxy = real.proxy_for(&request.url.endpoint).map_err(not_sent)?;
        let addresses = if proxy.as_ref().is_some_and(|proxy| !proxy.resolve_target()) {
            Vec::new()
        } else {
            let left = deadline.saturating_duration_since(Instant::now());
            real.addresses(&request.url.endpoint, left).map_err(|no| match no {
                NoAddress::Refused { why, literal } => {
                    let why = advised(why, literal, request);
                    if hops == 0 { HttpError::Denied(why) } else { not_sent(why) }
                }
                NoAddress::NotFound(why) => not_sent(why),
            })?
        };
        let outgoing = self.fill(request, limits).map_err(HttpError::InvalidRequest)?;
        let course = Course { real, addresses, proxy, deadline, limits };
        let sent = exchange(request, outgoing, &course);
        if sent.left {
            self.sent = self.sent.saturating_add(1);
        }
        sent.answer.map_err(|why| if sent.left { HttpError::MaybeSent(why) } else { not_sent(why) })
    }

    /// What leaves. A place is shorter than its secret, so that what fitted before may be too large now.
    fn fill(&self, request: &Checked, limits: &Limits) -> Result<Outgoing, String> {
        let secrets = &self.access.secrets;
        let headers = request.headers.iter().map(|(name, value)| Ok((name.clone(), fill(value.as_bytes(), secrets)?)));
        let headers: Vec<(String, Vec<u8>)> = headers.collect::<Result<_, String>>()?;
        let body = fill(&request.body, secrets)?;
        let bytes: usize = headers.iter().map(|(name, value)| name.len().saturating_add(value.len())).sum();
        if bytes > limits.http_header_bytes {
            let most = limits.http_header_bytes;
            return Err(format!(
                "the headers have {bytes} bytes with their secrets filled in, and at most {most} can be sent"
            ));
        }
        if body.len() > limits.http_request_bytes {
            let (bytes, most) = (body.len(), limits.http_request_bytes);
            return Err(format!(
                "the body has {bytes} bytes with its secrets filled in, and at most {most} can be sent"
            ));
        }
        Ok(Outgoing { headers, body })
    }

    /// The answer as the guest may see it.
    fn respond(&self, raw: Raw) -> Response {
        let secrets = &self.access.secrets;
        let mut body = raw.body;
        blank(&mut body, secrets);
        let mut headers = Vec::with_capacity(raw.headers.len());
        for (name, mut value) in raw.headers {
            blank(&mut value, secrets);
            headers.push((self.blank_text(name), String::from_utf8_lossy(&value).into_owned()));
        }
        Response { status: raw.status, headers, body }
    }

    fn without_secrets(&self, error: HttpError) -> HttpError {
        match error {
            HttpError::Denied(why) => HttpError::Denied(self.blank_text(why)),
            HttpError::InvalidRequest(why) => HttpError::InvalidRequest(self.blank_text(why)),
            HttpError::NotSent(why) => HttpError::NotSent(self.blank_text(why)),
            HttpError::MaybeSent(why) => HttpError::MaybeSent(self.blank_text(why)),
        }
    }
}

/// What could be granted instead, where something can.
fn advised(why: String, literal: Option<IpAddr>, request: &Checked) -> String {
    let Some(address) = literal else { return why };
    let mut url = request.url.clone();
    url.endpoint.host = HostName::Address(address);
    let grant = Grant::needed_for(&request.method, &url);
    format!(
        "{why}: no grant of a name covers that, only one of the address itself, such as `{grant}`, which the plugin must then use"
    )
}
