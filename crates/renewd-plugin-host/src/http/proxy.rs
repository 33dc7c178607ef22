//! The proxy of the environment: which variable names it, and which hosts are spared it.
//!
//! INVARIANT (no-silent-detour): a variable that is set and cannot be read is a refusal. To go on without it would send
//! directly what was meant to go through a proxy.

use ureq::Proxy;
use ureq::http::Uri;

/// The variables that can name a proxy, the first one that is set counts.
const VARIABLES: [&str; 6] = ["ALL_PROXY", "all_proxy", "HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"];
/// The variables that spare hosts the proxy.
const SPARING: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// What the environment says about proxies.
#[derive(Debug, Clone, Default)]
pub(super) struct Proxies {
    proxy: Option<Result<Proxy, String>>,
    spared: Vec<Spared>,
}

/// Hosts that are reached directly.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Spared {
    All,
    /// A host and everything below it, on one port or on all.
    Host(String, Option<u16>),
}

impl Proxies {
    /// Reads the variables, each given as its text, or as an error where it is no text.
    pub(super) fn read(variable: impl Fn(&str) -> Option<Result<String, ()>>) -> Self {
        let set =
            |name: &&str| variable(name).filter(|value| value.as_ref().map_or(true, |text| !text.trim().is_empty()));
        let mut proxy = None;
        for name in VARIABLES {
            let Some(value) = set(&name) else { continue };
            // The value may have a password, so it is not repeated.
            let read = value.ok().and_then(|text| parse(text.trim()));
            let read = read.ok_or_else(|| {
                format!(
                    "the variable `{name}` does not name a proxy that can be used: write it like `http://proxy.example:3128`, or unset it"
                )
            });
            if proxy.is_none() || read.is_err() {
                proxy = Some(read);
            }
            if proxy.as_ref().is_some_and(Result::is_err) {
                break;
            }
        }
        let sparing = SPARING.iter().find_map(set).and_then(Result::ok).unwrap_or_default();
        Self { proxy, spared: sparing.split([',', ' ']).filter_map(spared).collect() }
    }

    /// Reads the environment of this process.
    pub(super) fn of_environment() -> Self {
        Self::read(|name| std::env::var_os(name).map(|value| value.into_string().map_err(|_| ())))
    }

    /// The proxy for a host; none where it is reached directly.
    ///
    /// # Errors
    /// One sentence: a proxy is wanted, but which one cannot be read.
    pub(super) fn for_host(&self, host: &str, port: u16) -> Result<Option<&Proxy>, String> {
        let Some(proxy) = &self.proxy else { return Ok(None) };
        if self.spared.iter().any(|spared| spared.covers(host, port)) {
            return Ok(None);
        }
        proxy.as_ref().map(Some).map_err(Clone::clone)
    }
}

/// A proxy whose address says exactly one place.
fn parse(text: &str) -> Option<Proxy> {
    let proxy = Proxy::new(text).ok()?;
    let authority = proxy.uri().authority()?.as_str();
    let place = authority.rsplit('@').next().unwrap_or(authority);
    let after_host = place.rsplit_once(']').map_or(place, |(_, after)| after);
    // A port that is no number would count as none at all.
    let port_is_fine = match after_host.split_once(':') {
        Some((_, digits)) => digits.parse::<u16>().is_ok_and(|port| port > 0),
        None => true,
    };
    (port_is_fine && !proxy.host().is_empty()).then_some(proxy)
}

fn spared(entry: &str) -> Option<Spared> {
    let entry = entry.trim().to_ascii_lowercase();
    if entry == "*" {
        return Some(Spared::All);
    }
    let (host, port) = match entry.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => match port.parse() {
            Ok(port) => (host, Some(port)),
            Err(_) => return None,
        },
        _ => (entry.as_str(), None),
    };
    let host = host.trim_start_matches('*').trim_start_matches('.').trim_end_matches('.');
    let host = host.trim_matches(['[', ']']);
    (!host.is_empty()).then(|| Spared::Host(host.to_owned(), port))
}

impl Spared {
    fn covers(&self, host: &str, port: u16) -> bool {
        match self {
            Self::All => true,
            Self::Host(_, Some(only)) if *only != port => false,
            Self::Host(domain, _) => {
                let host = host.trim_matches(['[', ']']);
                let below = host.strip_suffix(domain.as_str());
                below.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            }
        }
    }
}

/// Whether an address is that of a proxy itself.
pub(super) fn is_of(proxy: &Proxy, uri: &Uri) -> bool {
    proxy.uri() == uri
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(set: &[(&str, &str)]) -> Proxies {
        let set: Vec<(String, String)> = set.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        Proxies::read(move |name| set.iter().find(|(known, _)| known == name).map(|(_, value)| Ok(value.clone())))
    }

    fn way(set: &[(&str, &str)], host: &str) -> Option<String> {
        let proxies = proxies(set);
        proxies.for_host(host, 443).unwrap().map(|proxy| format!("{}:{}", proxy.host(), proxy.port()))
    }

    #[test]
    fn the_first_variable_counts_and_the_port_is_the_usual_one_of_its_kind() {
        assert_eq!(way(&[], "api.example"), None);
        assert_eq!(way(&[("HTTPS_PROXY", "")], "api.example"), None, "an empty variable is none");
        for (value, place) in [
            ("http://127.0.0.1:3128", "127.0.0.1:3128"),
            (" http://proxy.example ", "proxy.example:80"),
            ("proxy.example:8080", "proxy.example:8080"),
            ("https://proxy.example", "proxy.example:443"),
            ("socks5h://127.0.0.1", "127.0.0.1:1080"),
            ("socks5://u:p@127.0.0.1", "127.0.0.1:1080"),
            ("http://[::1]:3128", "[::1]:3128"),
        ] {
            for name in VARIABLES {
                assert_eq!(way(&[(name, value)], "api.example").as_deref(), Some(place), "{name}={value}");
            }
        }
        let both = [("HTTPS_PROXY", "http://second:1"), ("ALL_PROXY", "http://first:1")];
        assert_eq!(way(&both, "api.example").as_deref(), Some("first:1"));
    }

    /// A misspelt proxy was ignored, and the request with its secret went out directly.
    #[test]
    fn a_variable_that_cannot_be_read_is_a_refusal_with_its_name_only() {
        for value in [
            "htp://127.0.0.1:3128",
            "127.0.0.1:9:9",
            "http://127.0.0.1:99999",
            "http://127.0.0.1:port",
            "http://127.0.0.1:0",
            "http://",
            "http://u:hunter22@",
            "ftp://u:hunter22@proxy.example",
            "/etc/proxy",
        ] {
            let why = proxies(&[("HTTPS_PROXY", value)]).for_host("api.example", 443).unwrap_err();
            assert!(why.starts_with("the variable `HTTPS_PROXY` does not name a proxy"), "{why}");
            assert!(!why.contains("hunter22"), "{why}");
        }
        let second = [("ALL_PROXY", "http://first:1"), ("https_proxy", "htp://second")];
        let why = proxies(&second).for_host("api.example", 443).unwrap_err();
        assert!(why.contains("`https_proxy`"), "{why}");
        let no_text = Proxies::read(|name| (name == "http_proxy").then_some(Err(())));
        no_text.for_host("api.example", 443).unwrap_err();
        assert_eq!(way(&[("HTTPS_PROXY", "htp://x"), ("NO_PROXY", "api.example")], "api.example"), None);
    }

    #[test]
    fn a_spared_domain_covers_what_is_below_it_however_it_is_written() {
        let spares = |list: &str, host: &str| way(&[("ALL_PROXY", "http://p:1"), ("NO_PROXY", list)], host).is_none();
        for list in
            ["example.com", ".example.com", "*.example.com", "x, example.com ,y", " EXAMPLE.com", "a example.com", "*"]
        {
            assert!(spares(list, "example.com") && spares(list, "api.example.com"), "{list}");
        }
        assert!(spares("example.com:443", "example.com") && !spares("example.com:8443", "example.com"));
        assert!(spares("192.0.2.1", "192.0.2.1") && spares("2001:db8::1", "[2001:db8::1]"));
        for list in ["", "ample.com", "api.example.com", "example.com.evil", ",", "."] {
            assert!(!spares(list, "example.com"), "{list}");
        }
    }
}
