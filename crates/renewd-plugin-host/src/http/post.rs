//! One POST of the host's own, without a plugin: under the same address rules, proxy and certificates, and never
//! redirected.

use super::network::{Network, NoAddress, Way};
use super::request::Checked;
use super::wire::{Course, Outgoing, exchange};
use crate::limits::Limits;
use renewd_core::web::{Scheme, WebUrl};
use std::time::{Duration, Instant};

impl Network {
    /// Posts a body and gives the status of a whole answer, whatever it is; a redirect is an answer like any other.
    /// Name, connection and answer together take at most `deadline`.
    ///
    /// # Errors
    /// One sentence: the address may not be connected to, or no whole answer came. Something may have arrived there.
    pub fn post(
        &self,
        url: &WebUrl,
        headers: &[(&str, &str)],
        body: Vec<u8>,
        deadline: Duration,
    ) -> Result<u16, String> {
        let Way::Real(real) = &self.way else { return Err("a recording answers plugins only".to_owned()) };
        if url.endpoint.scheme == Scheme::Http && !url.endpoint.host.is_loopback() {
            return Err("`http` is for this machine only".to_owned());
        }
        let limits = Limits { http_deadline: deadline, http_connect: deadline, ..Limits::default() };
        let deadline = Instant::now().checked_add(deadline).unwrap_or_else(Instant::now);
        let named: Vec<(String, String)> =
            headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let request = Checked { method: "POST".to_owned(), url: url.clone(), headers: named, body };
        let proxy = real.proxy_for(&url.endpoint)?;
        let addresses = if proxy.as_ref().is_some_and(|proxy| !proxy.resolve_target()) {
            Vec::new()
        } else {
            let left = deadline.saturating_duration_since(Instant::now());
            real.addresses(&url.endpoint, left).map_err(|no| match no {
                NoAddress::Refused { why, literal: Some(address) } => {
                    format!("{why}: write the address {address} itself in the URL if it is meant")
                }
                NoAddress::Refused { why, literal: None } | NoAddress::NotFound(why) => why,
            })?
        };
        let headers = request.headers.iter().map(|(name, value)| (name.clone(), value.clone().into_bytes())).collect();
        let outgoing = Outgoing { headers, body: request.body.clone() };
        let course = Course { real, addresses, proxy, deadline, limits: &limits };
        exchange(&request, outgoing, &course).answer.map(|raw| raw.status)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{answering, ok, serve};
    use super::super::{NetworkOptions, Reach};
    use super::*;
    use std::io::Write as _;
    use std::sync::Arc;

    const PATIENCE: Duration = Duration::from_secs(5);

    fn post(network: &Network, url: &str) -> Result<u16, String> {
        network.post(&WebUrl::parse(url).unwrap(), &[("x-told", "yes")], b"{}".to_vec(), PATIENCE)
    }

    #[test]
    fn the_body_and_headers_arrive_and_the_status_comes_back() {
        let server = answering(&ok("fine"));
        assert_eq!(post(&Network::direct(), &server.url("/hook?a=b")), Ok(200));
        let request = server.requests().concat();
        assert!(request.starts_with("POST /hook?a=b HTTP/1.1\r\n"), "{request}");
        assert!(request.contains("x-told: yes\r\n") && request.ends_with("\r\n\r\n{}"), "{request}");
    }

    #[test]
    fn a_redirect_is_not_followed() {
        let elsewhere = answering(&ok("never"));
        let url = elsewhere.url("/stolen");
        let server = answering(&format!("HTTP/1.1 307 Go\r\nLocation: {url}\r\nContent-Length: 0\r\n\r\n"));
        assert_eq!(post(&Network::direct(), &server.url("/hook")), Ok(307));
        assert!(elsewhere.requests().is_empty());
    }

    #[test]
    fn an_answer_that_is_cut_is_no_answer() {
        let server = serve(|_, stream| {
            let _gone = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
        });
        post(&Network::direct(), &server.url("/hook")).unwrap_err();
    }

    #[test]
    fn a_name_must_lead_to_a_public_address_and_a_rehearsal_stays_here() {
        let inside = Arc::new(|_: &str| Ok(vec!["10.0.0.1".parse().unwrap()]));
        let network = Network::with_lookup(NetworkOptions::default(), inside);
        let why = post(&network, "https://hooks.example.com/renewd").unwrap_err();
        assert!(why.contains("a private address"), "{why}");
        let rehearsal = Network::new(NetworkOptions { reach: Reach::Loopback, ..NetworkOptions::default() });
        let why = post(&rehearsal, "https://192.0.2.1/renewd").unwrap_err();
        assert!(why.contains("a rehearsal sends to this machine only"), "{why}");
        let why = post(&Network::direct(), "http://192.0.2.1/renewd").unwrap_err();
        assert!(why.contains("for this machine only"), "{why}");
    }
}
