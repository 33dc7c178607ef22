//! A guest's request, checked: method, URL, headers and body, before anyone asks whether it is granted.

use crate::bindings::http::Request;
use crate::limits::Limits;
use crate::text::excerpt;
use renewd_core::web::{METHODS, WebUrl, is_method};

/// Headers that the host alone writes: who is spoken to, how long the body is, and whatever would let an answer come
/// in parts or in a form in which secrets cannot be found.
const HOST_HEADERS: [&str; 15] = [
    "accept-encoding",
    "connection",
    "content-length",
    "expect",
    "host",
    "if-range",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "range",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// A request that may be judged. Its secrets are still named, not filled in.
#[derive(Debug, Clone)]
pub(super) struct Checked {
    pub(super) method: String,
    pub(super) url: WebUrl,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

/// Checks what a guest wants to send.
///
/// # Errors
/// One sentence for the guest.
pub(super) fn check(request: &Request, limits: &Limits) -> Result<Checked, String> {
    if !is_method(&request.method) {
        return Err(format!("`{}` is not one of the methods {}", excerpt(&request.method), METHODS.join(", ")));
    }
    if super::fill::has_place(request.url.as_bytes()) {
        return Err("a secret can stand in a header or the body, never in the URL".to_owned());
    }
    let url = WebUrl::parse(&request.url).map_err(|error| error.to_string())?;
    if !request.body.is_empty() && !has_body(&request.method) {
        return Err(format!("a {} request has no body", request.method));
    }
    if request.body.len() > limits.http_request_bytes {
        return Err(format!(
            "the body has {} bytes, and at most {} can be sent",
            request.body.len(),
            limits.http_request_bytes
        ));
    }
    check_headers(&request.headers, limits)?;
    let headers = request.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect();
    Ok(Checked { method: request.method.clone(), url, headers, body: request.body.clone() })
}

/// Whether requests of a method carry a body.
pub(super) fn has_body(method: &str) -> bool {
    matches!(method, "POST" | "PUT" | "PATCH")
}

fn check_headers(headers: &[(String, String)], limits: &Limits) -> Result<(), String> {
    if headers.len() > limits.http_headers {
        return Err(format!(
            "the request has {} headers, and at most {} can be sent",
            headers.len(),
            limits.http_headers
        ));
    }
    let bytes: usize = headers.iter().map(|(name, value)| name.len().saturating_add(value.len())).sum();
    if bytes > limits.http_header_bytes {
        return Err(format!("the headers have {bytes} bytes, and at most {} can be sent", limits.http_header_bytes));
    }
    for (name, value) in headers {
        let shown = excerpt(name);
        if name.is_empty() || !name.bytes().all(is_name_byte) {
            return Err(format!("`{shown}` is not the name of a header"));
        }
        if HOST_HEADERS.contains(&name.to_ascii_lowercase().as_str()) {
            return Err(format!("the header `{shown}` is written by renewd alone"));
        }
        if !value.bytes().all(|b| b == b' ' || b.is_ascii_graphic()) {
            return Err(format!("the header `{shown}` has a line end or another character that it cannot have"));
        }
    }
    Ok(())
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'|' | b'~'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> Request {
        Request {
            method: "POST".into(),
            url: "https://api.example.com/v1/x".into(),
            headers: vec![],
            body: b"a=b".to_vec(),
        }
    }

    fn refused(change: impl FnOnce(&mut Request)) -> String {
        let mut request = request();
        change(&mut request);
        check(&request, &Limits::default()).err().unwrap_or_else(|| panic!("{request:?} is accepted"))
    }

    #[test]
    fn a_plain_request_is_accepted() {
        let mut plain = request();
        plain.headers =
            vec![("Idempotency-Key".into(), "abc".into()), ("Authorization".into(), "Bearer {{secret:key}}".into())];
        let checked = check(&plain, &Limits::default()).unwrap();
        assert_eq!(checked.headers.first().unwrap().0, "idempotency-key");
    }

    #[test]
    fn every_limit_and_rule_has_its_sentence() {
        let limits = Limits::default();
        for (sentence, found) in [
            ("not one of the methods", refused(|it| it.method = "post".into())),
            ("not one of the methods", refused(|it| it.method = "CONNECT".into())),
            ("never in the URL", refused(|it| it.url = "https://x.example/{{secret:key}}".into())),
            ("`.` or `..`", refused(|it| it.url = "https://x.example/v1/../".into())),
            ("has no body", refused(|it| it.method = "GET".into())),
            ("at most 131072", refused(|it| it.body = vec![0; limits.http_request_bytes + 1])),
            ("at most 64", refused(|it| it.headers = vec![("a".into(), "b".into()); limits.http_headers + 1])),
            ("at most 16384", refused(|it| it.headers = vec![("a".into(), "b".repeat(limits.http_header_bytes))])),
            ("not the name", refused(|it| it.headers = vec![(String::new(), "b".into())])),
            ("not the name", refused(|it| it.headers = vec![("a b".into(), "b".into())])),
            ("not the name", refused(|it| it.headers = vec![("a:".into(), "b".into())])),
            ("line end", refused(|it| it.headers = vec![("a".into(), "b\r\nhost: evil".into())])),
            ("line end", refused(|it| it.headers = vec![("a".into(), "ü".into())])),
        ] {
            assert!(found.contains(sentence), "{found}");
        }
        for name in HOST_HEADERS {
            let found = refused(|it| it.headers = vec![(name.to_ascii_uppercase(), "x".into())]);
            assert!(found.contains("by renewd alone"), "{found}");
        }
    }
}
