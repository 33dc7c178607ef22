//! One request on the wire, without redirects: connect to a checked address, send, read a bounded answer.
//!
//! INVARIANT (left-is-known): [`Sent::left`] is set before the first byte of a request is handed to a connection, so an
//! error with it unset is proof that nothing was sent.

use super::network::Real;
use super::proxy;
use super::request::Checked;
use crate::limits::{HTTP_ADDRESSES_MAX, Limits};
use renewd_core::web::HostName;
use std::fmt;
use std::io::{self, Read as _};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use ureq::http::header::{CONTENT_ENCODING, TRANSFER_ENCODING};
use ureq::http::{HeaderMap, HeaderValue, Request, Response, Uri};
use ureq::tls::TlsConfig;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectProxyConnector, ConnectionDetails, Connector, NextTimeout, RustlsConnector, SocksConnector,
    TcpConnector, Transport,
};
use ureq::{Agent, Body, Error, Proxy, Timeout};

/// How renewd names itself to servers.
const USER_AGENT: &str = concat!("renewd/", env!("CARGO_PKG_VERSION"));

/// A request whose secrets are filled in. Lives only while it is sent.
pub(super) struct Outgoing {
    pub(super) headers: Vec<(String, Vec<u8>)>,
    pub(super) body: Vec<u8>,
}

/// What came back: bounded, not yet searched for secrets.
pub(super) struct Raw {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, Vec<u8>)>,
    pub(super) body: Vec<u8>,
}

/// What became of a request.
pub(super) struct Sent {
    /// Whether a byte of it may have left the machine.
    pub(super) left: bool,
    /// The answer, or one sentence.
    pub(super) answer: Result<Raw, String>,
}

/// Where and until when.
pub(super) struct Course<'a> {
    pub(super) real: &'a Arc<Real>,
    /// Addresses that were checked; none when a proxy resolves the name.
    pub(super) addresses: Vec<SocketAddr>,
    pub(super) proxy: Option<Proxy>,
    pub(super) deadline: Instant,
    pub(super) limits: &'a Limits,
}

/// Sends one request and reads its answer.
pub(super) fn exchange(request: &Checked, outgoing: Outgoing, course: &Course<'_>) -> Sent {
    let left = Arc::new(AtomicBool::new(false));
    let answer = send(request, outgoing, course, &left);
    Sent { left: left.load(Ordering::SeqCst), answer }
}

fn send(request: &Checked, outgoing: Outgoing, course: &Course<'_>, left: &Arc<AtomicBool>) -> Result<Raw, String> {
    let time = course.deadline.saturating_duration_since(Instant::now());
    if time.is_zero() {
        return Err("the time is up".to_owned());
    }
    let agent = agent(request, course, time, left)?;
    let built = build(request, &outgoing).map_err(|error| format!("the request cannot be built: {error}"))?;
    let response = if super::request::has_body(&request.method) {
        agent.run(built.map(|()| outgoing.body))
    } else {
        agent.run(built)
    };
    let late = |error: &Error| matches!(error, Error::Timeout(_)) && !left.load(Ordering::SeqCst);
    let told = |error: Error| match late(&error) {
        true => "connecting takes too long".to_owned(),
        false => sentence(&error, course.limits),
    };
    read(response.map_err(told)?, course.limits)
}

fn agent(request: &Checked, course: &Course<'_>, time: Duration, left: &Arc<AtomicBool>) -> Result<Agent, String> {
    let (config, connector) = match request.url.endpoint.scheme {
        renewd_core::web::Scheme::Https => {
            let tls = course.real.tls()?;
            (tls.config, tls.connector)
        }
        // Plain connections read no certificates; whatever would need them fails.
        renewd_core::web::Scheme::Http => (TlsConfig::default(), Arc::new(RustlsConnector::default())),
    };
    let config = Agent::config_builder()
        .tls_config(config)
        .proxy(course.proxy.clone())
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .user_agent(USER_AGENT)
        .accept_encoding("identity")
        .max_idle_connections(0)
        .max_response_header_size(course.limits.http_header_bytes)
        .timeout_global(Some(time))
        .timeout_connect(Some(time.min(course.limits.http_connect)))
        .build();
    let target: Uri = request.url.to_string().parse().map_err(|_| "the URL cannot be sent".to_owned())?;
    let connectors =
        ().chain(SocksConnector::default())
            .chain(ConnectProxyConnector::default())
            .chain(TcpConnector::default())
            .chain(Deadline(course.deadline))
            .chain(SharedTls(connector))
            .chain(Watch { target, left: Arc::clone(left) });
    let resolver = CheckedAddresses {
        real: Arc::clone(course.real),
        host: request.url.endpoint.host.clone(),
        proxy: course.proxy.clone(),
        addresses: course.addresses.clone(),
        deadline: course.deadline,
    };
    Ok(Agent::with_parts(config, connectors, resolver))
}

fn build(request: &Checked, outgoing: &Outgoing) -> Result<Request<()>, ureq::http::Error> {
    let mut building = Request::builder().method(request.method.as_str()).uri(request.url.to_string());
    for (name, value) in &outgoing.headers {
        let mut value = HeaderValue::from_bytes(value)?;
        value.set_sensitive(true);
        building = building.header(name, value);
    }
    building.body(())
}

fn read(response: Response<Body>, limits: &Limits) -> Result<Raw, String> {
    let (parts, body) = response.into_parts();
    let headers = headers(&parts.headers, limits)?;
    let encoded = parts.headers.get_all(CONTENT_ENCODING).iter().any(|value| value.as_bytes() != b"identity");
    if encoded {
        return Err(
            "the answer is compressed although that was not asked for, so it cannot be searched for secrets".to_owned()
        );
    }
    // Whatever encoding but this one is left as it is by the reader, and could hide a secret.
    let mut transfers = parts.headers.get_all(TRANSFER_ENCODING).iter();
    let plain = transfers.next().is_none_or(|value| value.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked"));
    if !plain || transfers.next().is_some() {
        return Err("the answer has a `transfer-encoding` other than `chunked`, which was not asked for".to_owned());
    }
    let most = limits.http_response_bytes;
    let mut bytes = Vec::new();
    let mut bounded = body.into_reader().take((most as u64).saturating_add(1));
    if let Err(error) = bounded.read_to_end(&mut bytes) {
        return Err(sentence(&Error::from(error), limits));
    }
    if bytes.len() > most {
        return Err(format!("the answer has more than {most} bytes"));
    }
    Ok(Raw { status: parts.status.as_u16(), headers, body: bytes })
}

fn headers(map: &HeaderMap, limits: &Limits) -> Result<Vec<(String, Vec<u8>)>, String> {
    if map.len() > limits.http_headers {
        return Err(format!("the answer has more than {} headers", limits.http_headers));
    }
    let all: Vec<(String, Vec<u8>)> =
        map.iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec())).collect();
    let bytes: usize = all.iter().map(|(name, value)| name.len().saturating_add(value.len())).sum();
    if bytes > limits.http_header_bytes {
        return Err(format!("the headers of the answer have more than {} bytes", limits.http_header_bytes));
    }
    Ok(all)
}

/// An error as people read it.
fn sentence(error: &Error, limits: &Limits) -> String {
    match error {
        Error::Timeout(Timeout::Connect | Timeout::Resolve) => "connecting takes too long".to_owned(),
        Error::Timeout(_) => "the answer takes too long".to_owned(),
        Error::LargeResponseHeader(..) => {
            format!("the headers of the answer have more than {} bytes", limits.http_header_bytes)
        }
        Error::Rustls(error) => format!("the server's certificate or its TLS is not acceptable: {error}"),
        Error::Io(error) => format!("the connection failed: {error}"),
        Error::Protocol(error) => format!("the answer is no HTTP: {error}"),
        other => format!("the request failed: {other}"),
    }
}

/// Gives out the addresses that were checked, and looks up nothing but a proxy.
struct CheckedAddresses {
    real: Arc<Real>,
    host: HostName,
    proxy: Option<Proxy>,
    addresses: Vec<SocketAddr>,
    deadline: Instant,
}

impl fmt::Debug for CheckedAddresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CheckedAddresses")
    }
}

impl Resolver for CheckedAddresses {
    fn resolve(&self, uri: &Uri, _: &ureq::config::Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let host = uri.host().ok_or(Error::HostNotFound)?;
        let mut found = self.empty();
        if let Some(proxy) = self.proxy.as_ref().filter(|proxy| proxy::is_of(proxy, uri)) {
            for address in self.proxy_addresses(host)?.into_iter().take(HTTP_ADDRESSES_MAX) {
                found.push(SocketAddr::new(address, proxy.port()));
            }
        } else if host == self.host.to_string() {
            self.addresses.iter().take(HTTP_ADDRESSES_MAX).for_each(|address| found.push(*address));
        }
        if found.is_empty() { Err(Error::HostNotFound) } else { Ok(found) }
    }
}

impl CheckedAddresses {
    /// A proxy is the operator's own choice, so it may be anywhere.
    fn proxy_addresses(&self, host: &str) -> Result<Vec<IpAddr>, Error> {
        if let Ok(literal) = host.trim_matches(['[', ']']).parse() {
            return Ok(vec![literal]);
        }
        let left = self.deadline.saturating_duration_since(Instant::now());
        self.real.look_up(host, left).map_err(|_| Error::HostNotFound)
    }
}

/// The one connector whose certificates all connections share.
#[derive(Debug)]
struct SharedTls(Arc<RustlsConnector>);

impl<In: Transport> Connector<In> for SharedTls {
    type Out = <RustlsConnector as Connector<In>>::Out;

    fn connect(&self, details: &ConnectionDetails<'_>, chained: Option<In>) -> Result<Option<Self::Out>, Error> {
        // The connector expects that something before it has connected.
        if chained.is_none() { Err(Error::ConnectionFailed) } else { self.0.connect(details, chained) }
    }
}

/// Ends every wait at the request's deadline.
///
/// The agent gives each of its steps the time that was left when the step began, and the step that speaks to a proxy
/// waits that long for every byte of the answer.
#[derive(Debug)]
struct Deadline(Instant);

impl<In: Transport> Connector<In> for Deadline {
    type Out = Limited<In>;

    fn connect(&self, _: &ConnectionDetails<'_>, chained: Option<In>) -> Result<Option<Self::Out>, Error> {
        Ok(chained.map(|inner| Limited { inner, deadline: self.0 }))
    }
}

#[derive(Debug)]
struct Limited<T> {
    inner: T,
    deadline: Instant,
}

impl<T> Limited<T> {
    fn capped(&self, mut timeout: NextTimeout) -> Result<NextTimeout, Error> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Error::Timeout(Timeout::Global));
        }
        if *timeout.after > left {
            timeout.after = left.into();
            timeout.reason = Timeout::Global;
        }
        Ok(timeout)
    }
}

impl<T: Transport> Transport for Limited<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let timeout = self.capped(timeout)?;
        self.inner.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let timeout = self.capped(timeout)?;
        self.inner.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}

/// The agent takes a connection that is cut for the end of an answer that names no length. It is not: what came may be
/// half of it, so the cut is told as an error that the agent does not know.
fn cut(error: Error) -> Error {
    match error {
        Error::Io(error)
            if matches!(
                error.kind(),
                io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
            ) =>
        {
            Error::Io(io::Error::other(format!("it was cut: {error}")))
        }
        other => other,
    }
}

/// Notes when the first byte for the target is handed to its connection. What is said to a proxy does not count.
#[derive(Debug)]
struct Watch {
    target: Uri,
    left: Arc<AtomicBool>,
}

impl<In: Transport> Connector<In> for Watch {
    type Out = Watched<In>;

    fn connect(&self, details: &ConnectionDetails<'_>, chained: Option<In>) -> Result<Option<Self::Out>, Error> {
        let for_target = details.uri.authority() == self.target.authority();
        let left = for_target.then(|| Arc::clone(&self.left));
        Ok(chained.map(|inner| Watched { inner, left }))
    }
}

#[derive(Debug)]
struct Watched<T> {
    inner: T,
    left: Option<Arc<AtomicBool>>,
}

impl<T: Transport> Transport for Watched<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        if let Some(left) = &self.left {
            left.store(true, Ordering::SeqCst);
        }
        self.inner.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.inner.await_input(timeout).map_err(cut)
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}
