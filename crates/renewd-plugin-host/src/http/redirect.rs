//! Redirects: where an answer sends the request next. Whether it may go there is judged like any other request.

use super::request::{Checked, has_body};
use renewd_core::web::WebUrl;

/// The request that a redirect asks for; none when the answer is no redirect.
///
/// As browsers do it: 303, and 301 and 302 of a request with a body, become a GET without one; 307 and 308 send the same
/// again.
///
/// # Errors
/// One sentence: the target cannot be read.
pub(super) fn next(request: &Checked, status: u16, location: Option<&str>) -> Result<Option<Checked>, String> {
    let (301 | 302 | 303 | 307 | 308, Some(location)) = (status, location) else { return Ok(None) };
    let url = target(&request.url, location).map_err(|why| format!("the redirect cannot be followed: {why}"))?;
    let becomes_get = match status {
        303 => request.method != "HEAD",
        301 | 302 => has_body(&request.method),
        _ => false,
    };
    if !becomes_get {
        return Ok(Some(Checked { url, ..request.clone() }));
    }
    let headers = request.headers.iter().filter(|(name, _)| !name.starts_with("content-")).cloned().collect();
    Ok(Some(Checked { method: "GET".to_owned(), url, headers, body: Vec::new() }))
}

fn target(from: &WebUrl, location: &str) -> Result<WebUrl, String> {
    let location = location.split('#').next().unwrap_or_default();
    let whole = if location.starts_with("//") {
        format!("{}:{location}", from.endpoint.scheme.as_str())
    } else if location.starts_with('/') {
        format!("{}{location}", from.endpoint)
    } else if location.starts_with('?') {
        format!("{}{}{location}", from.endpoint, from.path)
    } else {
        location.to_owned()
    };
    WebUrl::parse(&whole).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn follow(method: &str, status: u16, location: &str) -> Option<String> {
        let body = if has_body(method) { b"a=b".to_vec() } else { Vec::new() };
        let headers = vec![("content-type".to_owned(), "text/plain".to_owned()), ("x-a".to_owned(), "b".to_owned())];
        let url = WebUrl::parse("https://api.example.com/v1/x?q=1").unwrap();
        let next = next(&Checked { method: method.to_owned(), url, headers, body }, status, Some(location)).ok()??;
        Some(format!("{} {} {} {}", next.method, next.url, next.headers.len(), next.body.len()))
    }

    #[test]
    fn methods_and_bodies_follow_the_status() {
        for (method, status, expected) in [
            ("POST", 301, Some("GET https://b.example/y 1 0")),
            ("POST", 302, Some("GET https://b.example/y 1 0")),
            ("POST", 303, Some("GET https://b.example/y 1 0")),
            ("POST", 307, Some("POST https://b.example/y 2 3")),
            ("POST", 308, Some("POST https://b.example/y 2 3")),
            ("GET", 302, Some("GET https://b.example/y 2 0")),
            ("HEAD", 303, Some("HEAD https://b.example/y 2 0")),
            ("DELETE", 303, Some("GET https://b.example/y 1 0")),
            ("POST", 300, None),
            ("POST", 304, None),
            ("POST", 200, None),
        ] {
            assert_eq!(follow(method, status, "https://b.example/y").as_deref(), expected, "{method} {status}");
        }
    }

    #[test]
    fn targets_are_read_strictly() {
        for (location, expected) in [
            ("/v2/y", Some("GET https://api.example.com/v2/y 2 0")),
            ("//b.example/y", Some("GET https://b.example/y 2 0")),
            ("?page=2", Some("GET https://api.example.com/v1/x?page=2 2 0")),
            ("https://b.example/y#part", Some("GET https://b.example/y 2 0")),
            ("http://169.254.169.254/latest/", Some("GET http://169.254.169.254/latest/ 2 0")),
            ("/v1/../admin", None),
            ("y", None),
            ("file:///etc/passwd", None),
            ("javascript:alert(1)", None),
            ("https://api.example.com@evil.example/", None),
            ("", None),
        ] {
            assert_eq!(follow("GET", 302, location).as_deref(), expected, "{location}");
        }
    }
}
