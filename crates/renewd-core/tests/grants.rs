//! Which texts are grants and URLs, and which requests a grant covers: tables of cases.

#![allow(clippy::panic, reason = "helpers of tests")]

use renewd_core::web::limits::{HOST_BYTES_MAX, LABEL_BYTES_MAX, URL_BYTES_MAX};
use renewd_core::web::{Grant, HostError, HostName, UrlError, WebUrl};

fn url(text: &str) -> WebUrl {
    WebUrl::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn grants_read_and_print_in_one_spelling() {
    for (text, printed) in [
        ("POST https://api.stripe.com/v1/", "POST https://api.stripe.com/v1/"),
        ("GET https://api.stripe.com:443/", "GET https://api.stripe.com/"),
        ("DELETE https://api.example.com:8443/a/b/", "DELETE https://api.example.com:8443/a/b/"),
        ("PUT http://localhost:12111/v1/", "PUT http://localhost:12111/v1/"),
        ("GET http://127.0.0.1:80/", "GET http://127.0.0.1/"),
        ("GET http://[::1]:8080/", "GET http://[::1]:8080/"),
        ("PATCH https://10.0.0.5/", "PATCH https://10.0.0.5/"),
        ("GET https://api.example.com", "GET https://api.example.com/"),
    ] {
        let grant: Grant = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(grant.to_string(), printed);
        let json = serde_json::to_string(&grant).unwrap();
        assert_eq!(json, format!("\"{printed}\""));
        assert_eq!(serde_json::from_str::<Grant>(&json).unwrap(), grant);
    }
}

#[test]
fn what_is_no_grant_says_why_and_what_to_write() {
    for (text, why) in [
        ("", "a grant is a method, a space and a URL"),
        ("https://api.example.com/", "a grant is a method, a space and a URL"),
        ("POST  https://api.example.com/", "a grant is a method, a space and a URL"),
        ("post https://api.example.com/", "`post` is not a method that can be granted"),
        ("* https://api.example.com/", "`*` is not a method that can be granted"),
        ("CONNECT https://api.example.com/", "`CONNECT` is not a method that can be granted"),
        ("POST https://*.example.com/", "a host is named in full, without `*`"),
        ("POST https://API.example.com/", "the host name is not in lower case"),
        ("POST https://api.example.com./", "the host name has an empty part"),
        ("POST https://api..example.com/", "the host name has an empty part"),
        ("POST https://bücher.example/", "the URL has a character that must be percent-encoded, or a backslash"),
        ("POST https://a_b.example/", "the host name has a character other than a-z, 0-9, `-` and `.`"),
        ("POST https://user@api.example.com/", "the URL has a user name before the host"),
        ("POST https://127.1/", "the address is not in its usual form"),
        ("POST https://0x7f.0.0.1/", "the address is not in its usual form"),
        ("POST https://2130706433/", "the address is not in its usual form"),
        ("POST https://127.0.0.01/", "the address is not in its usual form"),
        ("POST https://[::ffff:127.0.0.1]/", "the address is not in its usual form"),
        ("POST https://[0:0:0:0:0:0:0:1]/", "the address is not in its usual form"),
        ("POST https://api.example.com:0/", "the port is not a number from 1 to 65535"),
        ("POST https://api.example.com:99999/", "the port is not a number from 1 to 65535"),
        ("POST https://api.example.com:0443/", "the port is not a number from 1 to 65535"),
        ("POST https://api.example.com/v1", "the path does not end with `/`"),
        ("POST https://api.example.com/v1/?a=b", "a grant has no `?`"),
        ("POST https://api.example.com/v1/#top", "the URL has a fragment"),
        ("POST https://api.example.com/v1/../", "the path has an empty part, `.` or `..`"),
        ("POST http://api.example.com/", "`http` can be granted for this machine only"),
        ("POST ftp://api.example.com/", "the URL does not start with `https://` or `http://`"),
    ] {
        let error = text.parse::<Grant>().err().unwrap_or_else(|| panic!("`{text}` is a grant"));
        assert_eq!(error.to_string(), why, "{text}");
        assert!(!error.hint().is_empty());
    }
}

#[test]
fn urls_that_could_be_read_in_two_ways_are_refused() {
    for text in [
        "https://api.example.com/v1/../admin",
        "https://api.example.com/v1/./x",
        "https://api.example.com//v1/x",
        "https://api.example.com/v1/%2e%2e/admin",
        "https://api.example.com/v1/.%2E/admin",
        "https://api.example.com/v1/..;a=b/admin",
        "https://api.example.com/v1/a%2fb",
        "https://api.example.com/v1/a%5Cb",
        "https://api.example.com/v1/a%252e",
        "https://api.example.com/v1/a%00",
        "https://api.example.com/v1/a%0d%0ab",
        "https://api.example.com/v1/a%2",
        "https://api.example.com/v1/a%zz",
        "https://api.example.com\\@evil.example/v1/",
        "https://api.example.com/v1\\..\\admin",
        "https://user:pw@api.example.com/v1/",
        "https://api.example.com@evil.example/v1/",
        "https://api.example.com:443:80/v1/",
        "https://api.example.com:/v1/",
        "https://api.example.com::443/v1/",
        "https://[::1]::443/v1/",
        "https://api.example.com./v1/",
        "https://[fe80::1%25eth0]/v1/",
        "https://[::1/v1/",
        "https://0177.0.0.1/",
        "https://127.0.0.1.:80/",
        "https:///v1/",
        "https://api.example.com/v1/a b",
        "https://api.example.com/v1/a\r\nx: y",
        "https://api.example.com/v1/{{secret:key}}",
        "//api.example.com/v1/",
        "/v1/",
        "file:///etc/passwd",
        "https://api.example.com/v1/#x",
    ] {
        assert!(WebUrl::parse(text).is_err(), "{text}");
    }
    assert_eq!(url("HTTPS://API.Example.COM:443/v1/X?a=%2e%2e/").to_string(), "https://api.example.com/v1/X?a=%2e%2e/");
    assert_eq!(url("https://api.example.com").to_string(), "https://api.example.com/");
    assert_eq!(url("https://api.example.com/v1/a%20b;c=d/").to_string(), "https://api.example.com/v1/a%20b;c=d/");
}

#[test]
fn lengths_are_bounded() {
    let start = "https://api.example.com/";
    let longest = format!("{start}{}", "x".repeat(URL_BYTES_MAX - start.len()));
    assert_eq!(url(&longest).to_string(), longest);
    assert_eq!(WebUrl::parse(&format!("{longest}x")), Err(UrlError::TooLong));
    let label = "x".repeat(LABEL_BYTES_MAX);
    assert!(HostName::parse(&format!("{label}.example")).is_ok());
    assert_eq!(HostName::parse(&format!("{label}x.example")), Err(HostError::TooLong));
    let whole = "x.".repeat(HOST_BYTES_MAX / 2);
    assert!(HostName::parse(&format!("{whole}x")).is_ok());
    assert_eq!(HostName::parse(&format!("{whole}xx")), Err(HostError::TooLong));
}

#[test]
fn a_grant_covers_its_method_endpoint_and_folder_only() {
    let grant: Grant = "POST https://api.example.com/v1/".parse().unwrap();
    for (method, address, covered) in [
        ("POST", "https://api.example.com/v1/charges", true),
        ("POST", "https://api.example.com/v1/", true),
        ("POST", "https://API.EXAMPLE.COM:443/v1/charges?expand=x", true),
        ("GET", "https://api.example.com/v1/charges", false),
        ("POST", "http://api.example.com/v1/charges", false),
        ("POST", "http://api.example.com:443/v1/charges", false),
        ("POST", "https://api.example.com:8443/v1/charges", false),
        ("POST", "https://api.example.com.evil.example/v1/charges", false),
        ("POST", "https://evil.example/api.example.com/v1/charges", false),
        ("POST", "https://api.example.com/v1", false),
        ("POST", "https://api.example.com/v10/charges", false),
        ("POST", "https://api.example.com/V1/charges", false),
        ("POST", "https://api.example.com/v2/charges?/v1/", false),
    ] {
        assert_eq!(grant.covers(method, &url(address)), covered, "{method} {address}");
    }
    assert_eq!(
        Grant::needed_for("POST", &url("https://x.example/v1/charges?a=b")).to_string(),
        "POST https://x.example/v1/"
    );
    let narrower: Grant = "POST https://api.example.com/v1/charges/".parse().unwrap();
    assert!(grant.includes(&narrower) && grant.includes(&grant) && !narrower.includes(&grant));
}
