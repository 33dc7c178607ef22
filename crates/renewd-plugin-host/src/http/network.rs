//! How requests leave the machine: name lookup, proxy, trusted certificates; or a recording in place of all that.

use super::address::{Reach, judge};
use super::proxy::Proxies;
use super::recording::{Exchange, Recording};
use crate::limits::HTTP_ADDRESSES_MAX;
use renewd_core::web::{Endpoint, HostName};
use rustls::crypto::CryptoProvider;
use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;
use ureq::Proxy;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::unversioned::transport::RustlsConnector;

/// Looks a name up.
pub type Lookup = dyn Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync;

/// The way to the network. Cheap to clone; certificates are read at the first request over TLS.
#[derive(Clone)]
pub struct Network {
    pub(super) way: Way,
}

#[derive(Clone)]
pub(super) enum Way {
    Real(Arc<Real>),
    Playing(Arc<Mutex<VecDeque<Exchange>>>),
}

pub(super) struct Real {
    pub(super) reach: Reach,
    proxies: Proxies,
    lookup: Arc<Lookup>,
    extra_ca: Option<PathBuf>,
    tls: OnceLock<Result<Tls, String>>,
}

/// What connections over TLS share.
#[derive(Clone)]
pub(super) struct Tls {
    pub(super) config: TlsConfig,
    pub(super) connector: Arc<RustlsConnector>,
}

/// How the way to the network is set up.
#[derive(Debug, Clone, Default)]
pub struct NetworkOptions {
    /// Whether requests may leave the machine.
    pub reach: Reach,
    /// Certificates (PEM) to trust beside the system's.
    pub extra_ca: Option<PathBuf>,
    /// Whether `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` count.
    pub proxy_from_environment: bool,
}

impl Network {
    /// A way with options.
    pub fn new(options: NetworkOptions) -> Self {
        Self::with_lookup(options, Arc::new(system_lookup))
    }

    /// Straight, without any proxy.
    pub fn direct() -> Self {
        Self::new(NetworkOptions::default())
    }

    /// A way with another lookup of names, for tests.
    pub fn with_lookup(options: NetworkOptions, lookup: Arc<Lookup>) -> Self {
        let wants_proxy = options.proxy_from_environment && options.reach == Reach::Granted;
        let proxies = if wants_proxy { Proxies::of_environment() } else { Proxies::default() };
        Self::through(proxies, options, lookup)
    }

    /// A way through proxies, whatever the environment says.
    pub(super) fn through(proxies: Proxies, options: NetworkOptions, lookup: Arc<Lookup>) -> Self {
        let real = Real { reach: options.reach, proxies, lookup, extra_ca: options.extra_ca, tls: OnceLock::new() };
        Self { way: Way::Real(Arc::new(real)) }
    }

    /// Plays a recording back: the same requests in the same order get the same answers, and nothing is sent.
    pub fn playing(recording: Recording) -> Self {
        Self { way: Way::Playing(Arc::new(Mutex::new(recording.exchanges.into()))) }
    }
}

impl Default for Network {
    fn default() -> Self {
        Self::direct()
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.way {
            Way::Real(_) => "Network(real)",
            Way::Playing(_) => "Network(playing)",
        })
    }
}

/// Takes the next exchange of a recording.
pub(super) fn next_exchange(playing: &Mutex<VecDeque<Exchange>>) -> Option<Exchange> {
    playing.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
}

/// Why a host cannot be connected to.
pub(super) enum NoAddress {
    /// It may not be.
    Refused {
        /// One sentence.
        why: String,
        /// The address that its name leads to, where naming the address itself would do.
        literal: Option<IpAddr>,
    },
    /// It is not to be found.
    NotFound(String),
}

impl Real {
    /// The addresses of an endpoint, every one of them checked. One that is refused refuses them all.
    pub(super) fn addresses(&self, endpoint: &Endpoint, left: Duration) -> Result<Vec<SocketAddr>, NoAddress> {
        let host = &endpoint.host;
        let found = match host {
            HostName::Address(address) => vec![*address],
            HostName::Name(name) => self.look_up(name, left).map_err(NoAddress::NotFound)?,
        };
        if found.is_empty() {
            return Err(NoAddress::NotFound(format!("the name `{host}` has no address")));
        }
        for address in &found {
            if let Some(kind) = judge(host, *address, self.reach) {
                return Err(self.refused(host, *address, kind));
            }
        }
        Ok(found.into_iter().take(HTTP_ADDRESSES_MAX).map(|address| SocketAddr::new(address, endpoint.port)).collect())
    }

    fn refused(&self, host: &HostName, address: IpAddr, kind: &str) -> NoAddress {
        let why = format!("`{host}` leads to {address}, {kind}");
        // `localhost` is this machine by its name, a rehearsal stays here, and an IPv4 address in IPv6 form has no spelling
        // of its own.
        let named = matches!(host, HostName::Name(name) if name != "localhost") && self.reach == Reach::Granted;
        let spelt = HostName::parse(&HostName::Address(address).to_string()).is_ok();
        NoAddress::Refused { why, literal: (named && spelt).then_some(address) }
    }

    /// The proxy that a request to an endpoint goes through. This machine is never reached through one.
    ///
    /// # Errors
    /// One sentence: a proxy is wanted, but which one cannot be read.
    pub(super) fn proxy_for(&self, endpoint: &Endpoint) -> Result<Option<Proxy>, String> {
        if endpoint.host.is_loopback() {
            return Ok(None);
        }
        Ok(self.proxies.for_host(&endpoint.host.to_string(), endpoint.port)?.cloned())
    }

    /// The system's lookup cannot be interrupted, so it has a thread of its own that nobody waits for too long.
    pub(super) fn look_up(&self, name: &str, left: Duration) -> Result<Vec<IpAddr>, String> {
        let (sender, receiver) = mpsc::sync_channel(1);
        let (lookup, wanted) = (Arc::clone(&self.lookup), name.to_owned());
        let work = move || {
            let _nobody_waits = sender.send(lookup(&wanted));
        };
        if let Err(error) = thread::Builder::new().name("name-lookup".to_owned()).spawn(work) {
            return Err(format!("the name `{name}` cannot be looked up: {error}"));
        }
        match receiver.recv_timeout(left) {
            Ok(Ok(found)) => Ok(found),
            Ok(Err(error)) => Err(format!("the name `{name}` cannot be looked up: {error}")),
            Err(RecvTimeoutError::Timeout) => Err(format!("looking the name `{name}` up takes too long")),
            Err(RecvTimeoutError::Disconnected) => Err(format!("the name `{name}` cannot be looked up")),
        }
    }

    /// What connections over TLS share, made at the first one.
    pub(super) fn tls(&self) -> Result<Tls, String> {
        self.tls.get_or_init(|| make_tls(self.extra_ca.as_deref())).clone()
    }
}

fn system_lookup(name: &str) -> io::Result<Vec<IpAddr>> {
    (name, 0).to_socket_addrs().map(|found| found.map(|address| address.ip()).collect())
}

fn make_tls(extra_ca: Option<&Path>) -> Result<Tls, String> {
    let system = rustls_native_certs::load_native_certs();
    let mut roots: Vec<Certificate<'static>> =
        system.certs.iter().map(|der| Certificate::from_der(der).to_owned()).collect();
    if let Some(path) = extra_ca {
        roots.extend(extra_roots(path)?);
    }
    if roots.is_empty() {
        return Err("this system has no trusted certificates: install its package of CA certificates".to_owned());
    }
    let provider: Arc<CryptoProvider> = Arc::new(rustls::crypto::ring::default_provider());
    let config = TlsConfig::builder()
        .root_certs(RootCerts::new_with_certs(&roots))
        .unversioned_rustls_crypto_provider(provider)
        .build();
    Ok(Tls { config, connector: Arc::new(RustlsConnector::default()) })
}

fn extra_roots(path: &Path) -> Result<Vec<Certificate<'static>>, String> {
    let shown = path.display();
    let pem = std::fs::read(path).map_err(|error| format!("cannot read the certificates in `{shown}`: {error}"))?;
    let mut roots = Vec::new();
    for item in ureq::tls::parse_pem(&pem) {
        match item {
            Ok(ureq::tls::PemItem::Certificate(certificate)) => roots.push(certificate),
            Ok(_) => {}
            Err(_) => return Err(format!("`{shown}` is not a file of certificates (PEM)")),
        }
    }
    if roots.is_empty() { Err(format!("there is no certificate in `{shown}`")) } else { Ok(roots) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use renewd_core::web::WebUrl;

    #[test]
    fn only_the_first_addresses_of_a_name_are_tried_and_all_are_judged() {
        let found = |count: u8, last: &'static str| {
            let lookup = move |_: &str| {
                let public = (1..count).map(|n| IpAddr::from([1, 1, 1, n]));
                Ok(public.chain([last.parse().unwrap()]).collect())
            };
            let network = Network::with_lookup(NetworkOptions::default(), Arc::new(lookup));
            let Way::Real(real) = network.way else { panic!("it is real") };
            let url = WebUrl::parse("https://api.example.com/").unwrap();
            real.addresses(&url.endpoint, Duration::from_secs(5)).map_err(|_| ())
        };
        assert_eq!(found(20, "1.1.1.1").unwrap().len(), HTTP_ADDRESSES_MAX);
        assert!(found(20, "10.0.0.1").is_err());
    }
}
