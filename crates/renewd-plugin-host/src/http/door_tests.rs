//! The door against servers on this machine: what goes through, what is refused with which words, and what is told.

use super::door::Door;
use super::testing::{Server, answering, ok, serve, serve_on, serve_raw};
use super::{Access, Answered, Network, NetworkOptions, Reach, Recording, Secrets};
use crate::bindings::http::{HttpError, Request, Response};
use crate::limits::Limits;
use crate::manifest::Permission;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, TcpListener};
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

const SECRET: &str = "sk_test_51H/x+Y==9Z";

fn anything(scheme: &str) -> Vec<Permission> {
    let ask = |method: &str| Permission {
        method: method.into(),
        scheme: scheme.into(),
        host: "*".into(),
        port: 0,
        path_prefix: "/".into(),
    };
    ["GET", "POST", "HEAD"].map(ask).into()
}

fn door_in(network: Network, grants: &[&str]) -> Door {
    let asked = [anything("http"), anything("https")].concat();
    let secrets = Secrets::new([("key", SECRET)]).unwrap();
    let access = Access { grants: grants.iter().map(|grant| grant.parse().unwrap()).collect(), secrets, network };
    Door::new(Arc::new(access), asked.into())
}

fn door(grants: &[&str]) -> Door {
    door_in(Network::direct(), grants)
}

fn leading_to(address: &str) -> Network {
    let address: IpAddr = address.parse().unwrap();
    Network::with_lookup(NetworkOptions::default(), Arc::new(move |_: &str| Ok(vec![address])))
}

fn get(url: &str) -> Request {
    Request { method: "GET".into(), url: url.into(), headers: vec![], body: vec![] }
}

fn post(url: &str, body: &str) -> Request {
    Request { method: "POST".into(), body: body.into(), ..get(url) }
}

fn send(door: &mut Door, request: &Request) -> Result<Response, HttpError> {
    door.send(request, &Limits::default())
}

fn maybe_sent(answer: Result<Response, HttpError>) -> String {
    match answer {
        Err(HttpError::MaybeSent(why)) => why,
        other => panic!("{other:?}"),
    }
}

fn denied(answer: Result<Response, HttpError>) -> String {
    match answer {
        Err(HttpError::Denied(why)) => why,
        other => panic!("{other:?}"),
    }
}

fn short(milliseconds: u64) -> Limits {
    Limits { http_deadline: Duration::from_millis(milliseconds), ..Limits::default() }
}

#[test]
fn a_granted_request_arrives_with_its_secret_and_the_answer_comes_back() {
    let server = answering(&ok("{\"id\":\"pi_1\"}"));
    let mut door = door(&[&server.grant("POST")]);
    let mut request = post(&server.url("/v1/charges?x=1"), "a=b");
    request.headers = vec![("Authorization".into(), "Bearer {{secret:key}}".into())];
    let response = send(&mut door, &request).unwrap();
    assert_eq!((response.status, response.body.as_slice()), (200, b"{\"id\":\"pi_1\"}".as_slice()));
    let seen = server.requests().remove(0);
    assert!(seen.starts_with("POST /v1/charges?x=1 HTTP/1.1\r\n"), "{seen}");
    for line in [
        &format!("authorization: Bearer {SECRET}\r\n"),
        "content-length: 3\r\n",
        "accept-encoding: identity\r\n",
        "user-agent: renewd/",
    ] {
        assert!(seen.to_ascii_lowercase().contains(&line.to_ascii_lowercase()), "{line} in {seen}");
    }
    assert!(seen.ends_with("\r\n\r\na=b"));
    assert_eq!(door.sent, 1);
}

#[test]
fn a_refusal_names_the_grant_that_would_be_needed() {
    let server = answering(&ok(""));
    let mut door = door(&[&server.grant("POST")]);
    let why = denied(send(&mut door, &post("https://evil.example/v1/collect/all", "")));
    assert_eq!(
        why,
        "`POST https://evil.example/v1/collect/` is not granted: add it to `grants` of the `Plugin` document if it is meant"
    );
    assert!(denied(send(&mut door, &get(&server.url("/v1/x")))).starts_with("`GET http://127.0.0.1:"));
    assert!(denied(send(&mut door, &post(&server.url("/v2/x"), ""))).contains("/v2/` is not granted"));
    assert_eq!((door.sent, server.requests().len()), (0, 0));
}

#[test]
fn what_the_manifest_does_not_ask_for_is_refused_though_granted() {
    let server = answering(&ok(""));
    let grant = server.grant("POST").parse().unwrap();
    let asked = Permission {
        method: "POST".into(),
        scheme: "http".into(),
        host: "127.0.0.1".into(),
        port: 0,
        path_prefix: "/v1/charges/".into(),
    };
    let access = Access { grants: vec![grant], ..Access::default() };
    let mut door = Door::new(Arc::new(access), vec![asked].into());
    assert!(denied(send(&mut door, &post(&server.url("/v1/refunds/x"), ""))).contains("manifest does not ask for it"));
    assert!(send(&mut door, &post(&server.url("/v1/charges/x"), "")).is_ok());
}

#[test]
fn a_name_that_leads_to_a_private_address_is_refused() {
    for address in ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::ffff:127.0.0.1", "fd00:ec2::254", "::1"] {
        let mut door = door_in(leading_to(address), &["GET https://api.example.com/"]);
        let why = denied(send(&mut door, &get("https://api.example.com/x")));
        assert!(why.starts_with(&format!("`api.example.com` leads to {address}, ")), "{why}");
        assert_eq!(door.sent, 0);
    }
}

#[test]
fn a_refused_address_says_what_can_be_granted_and_that_is_so() {
    for (address, grant) in [
        ("10.1.2.3", Some("GET https://10.1.2.3:8443/a/")),
        ("fd00::7", Some("GET https://[fd00::7]:8443/a/")),
        ("::ffff:127.0.0.1", None),
    ] {
        let mut door = door_in(leading_to(address), &["GET https://api.example.com:8443/"]);
        let why = denied(send(&mut door, &get("https://api.example.com:8443/a/x")));
        let Some(grant) = grant else {
            assert!(!why.contains("such as"), "{why}");
            continue;
        };
        assert!(
            why.contains(&format!("no grant of a name covers that, only one of the address itself, such as `{grant}`"))
        );
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let _a_grant_indeed: renewd_core::web::Grant = grant.parse().unwrap();
        // The like of it on this machine is connected to, where it is granted.
        let mut literal = door_in(leading_to(address), &[&format!("GET https://127.0.0.1:{port}/a/")]);
        let answer = send(&mut literal, &get(&format!("https://127.0.0.1:{port}/a/x")));
        assert!(matches!(&answer, Err(HttpError::NotSent(why)) if why.contains("connection failed")), "{answer:?}");
    }
    let mut elsewhere = door_in(leading_to("10.1.2.3"), &["GET http://localhost:80/"]);
    let why = denied(send(&mut elsewhere, &get("http://localhost:80/x")));
    assert_eq!(why, "`localhost` leads to 10.1.2.3, which is not this machine");
}

#[test]
fn plain_http_to_another_machine_is_not_said_to_be_grantable() {
    let mut door = door(&[]);
    for url in ["http://10.0.0.5/x", "http://api.example.com/x"] {
        let why = denied(send(&mut door, &get(url)));
        assert!(why.contains("cannot be granted: `http` can be granted for this machine only"), "{why}");
        assert!(!why.contains("add it"), "{why}");
    }
}

#[test]
fn what_is_too_large_with_its_secrets_filled_in_is_not_sent() {
    let server = answering(&ok(""));
    let limits = Limits { http_request_bytes: 100, http_header_bytes: 100, ..Limits::default() };
    let long = "k".repeat(99);
    let access = Access {
        grants: vec![server.grant("POST").parse().unwrap()],
        secrets: Secrets::new([("key", long.as_str())]).unwrap(),
        network: Network::direct(),
    };
    let mut door = Door::new(Arc::new(access), anything("http").into());
    assert!(door.send(&post(&server.url("/v1/x"), "={{secret:key}}"), &limits).is_ok(), "just as much as is allowed");
    let _arrived = server.requests();
    let body = door.send(&post(&server.url("/v1/x"), "a={{secret:key}}"), &limits);
    assert!(
        matches!(&body, Err(HttpError::InvalidRequest(why)) if why.contains("the body has 101 bytes with its secrets"))
    );
    let mut request = post(&server.url("/v1/x"), "");
    request.headers = vec![("ab".into(), "{{secret:key}}".into())];
    let headers = door.send(&request, &limits);
    let why = "the headers have 101 bytes with their secrets";
    assert!(matches!(&headers, Err(HttpError::InvalidRequest(said)) if said.contains(why)), "{headers:?}");
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn the_requests_of_one_call_have_a_time_together() {
    let slow = serve(|_, stream| {
        sleep(Duration::from_millis(200));
        let _gone = stream.write_all(ok("").as_bytes());
    });
    let limits = Limits { http_call_deadline: Duration::from_millis(500), ..Limits::default() };
    let mut door = door(&[&slow.grant("GET")]);
    let request = get(&slow.url("/v1/x"));
    assert!(door.send(&request, &limits).is_ok());
    assert!(door.send(&request, &limits).is_ok());
    assert_eq!(maybe_sent(door.send(&request, &limits)), "the answer takes too long", "cut at what was left");
    let over = door.send(&request, &limits);
    assert!(matches!(&over, Err(HttpError::NotSent(why)) if why.contains("used up")), "{over:?}");
    assert_eq!(door.sent, 3);
}

#[test]
fn one_private_address_among_public_ones_refuses_them_all() {
    let addresses: Vec<IpAddr> = vec!["1.1.1.1".parse().unwrap(), "10.0.0.1".parse().unwrap()];
    let network = Network::with_lookup(NetworkOptions::default(), Arc::new(move |_: &str| Ok(addresses.clone())));
    let mut door = door_in(network, &["GET https://api.example.com/"]);
    assert!(denied(send(&mut door, &get("https://api.example.com/x"))).contains("10.0.0.1, a private address"));
}

#[test]
fn the_connection_goes_to_the_address_that_was_checked() {
    // A name that changes between check and use (DNS rebinding): the lookup answers once, and is not asked again. The
    // system's own lookup of `localhost` would lead to 127.0.0.1, where nobody listens.
    let server = serve_on("127.0.0.2", |_, stream| {
        let _gone = stream.write_all(ok("here").as_bytes());
    });
    let asked = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let lookup = move |_: &str| {
        count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        Ok(vec!["127.0.0.2".parse().unwrap()])
    };
    let network = Network::with_lookup(NetworkOptions::default(), Arc::new(lookup));
    let mut door = door_in(network, &[&format!("GET http://localhost:{}/", server.port)]);
    let response = send(&mut door, &get(&format!("http://localhost:{}/x", server.port))).unwrap();
    assert_eq!(response.body, b"here");
    assert_eq!(asked.load(std::sync::atomic::Ordering::SeqCst), 1);
    assert!(server.requests()[0].to_ascii_lowercase().contains(&format!("host: localhost:{}", server.port)));
}

#[test]
fn a_name_that_is_not_found_or_takes_too_long_was_not_sent() {
    let network =
        Network::with_lookup(NetworkOptions::default(), Arc::new(|_: &str| Err(std::io::Error::other("no such host"))));
    let mut nowhere = door_in(network, &["GET https://api.example.com/"]);
    assert!(
        matches!(send(&mut nowhere, &get("https://api.example.com/x")), Err(HttpError::NotSent(why)) if why.contains("no such host"))
    );
    let slow = Network::with_lookup(
        NetworkOptions::default(),
        Arc::new(|_: &str| {
            sleep(Duration::from_secs(5));
            Ok(Vec::new())
        }),
    );
    let mut slow = door_in(slow, &["GET https://api.example.com/"]);
    let begun = Instant::now();
    assert!(
        matches!(slow.send(&get("https://api.example.com/x"), &short(100)), Err(HttpError::NotSent(why)) if why.contains("too long"))
    );
    assert!(begun.elapsed() < Duration::from_secs(4));
}

#[test]
fn a_rehearsal_sends_to_this_machine_only() {
    let network = |address: &str| {
        let address: IpAddr = address.parse().unwrap();
        let options = NetworkOptions { reach: Reach::Loopback, ..NetworkOptions::default() };
        Network::with_lookup(options, Arc::new(move |_: &str| Ok(vec![address])))
    };
    let mut away = door_in(network("1.1.1.1"), &["GET https://api.example.com/"]);
    assert!(
        denied(send(&mut away, &get("https://api.example.com/x"))).contains("a rehearsal sends to this machine only")
    );
    let server = answering(&ok("here"));
    let mut here = door_in(network("127.0.0.1"), &[&server.grant("GET")]);
    assert!(send(&mut here, &get(&server.url("/v1/x"))).is_ok());
}

#[test]
fn a_refused_connection_was_not_sent_and_a_cut_one_may_have_been() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut refused = door(&[&format!("POST http://127.0.0.1:{free}/")]);
    let answer = send(&mut refused, &post(&format!("http://127.0.0.1:{free}/x"), "a"));
    assert!(matches!(&answer, Err(HttpError::NotSent(_))), "{answer:?}");
    assert_eq!(refused.sent, 0);
    for partial in [
        "",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf",
        "garbage\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab",
    ] {
        let server = answering(partial);
        let mut cut = door(&[&server.grant("POST")]);
        let answer = send(&mut cut, &post(&server.url("/v1/x"), "a"));
        assert!(matches!(&answer, Err(HttpError::MaybeSent(_))), "{partial:?}: {answer:?}");
        assert_eq!(cut.sent, 1);
    }
}

/// An answer that names no length ends with its connection. One whose connection was reset was taken for whole.
#[test]
fn an_answer_without_a_length_that_is_reset_is_not_whole() {
    let server = serve_keeping_part_of_the_request(b"HTTP/1.1 200 OK\r\n\r\n{\"id\":");
    let mut cut = door(&[&server.grant("POST")]);
    let answer = send(&mut cut, &post(&server.url("/v1/x"), &"x".repeat(100_000)));
    assert!(matches!(&answer, Err(HttpError::MaybeSent(_))), "{answer:?}");
    let server = answering("HTTP/1.1 200 OK\r\n\r\nwhole");
    let mut whole = door(&[&server.grant("GET")]);
    assert_eq!(send(&mut whole, &get(&server.url("/v1/x"))).unwrap().body, b"whole");
}

/// Answers before it has read the request, and is gone: the rest of the request makes the connection be reset.
fn serve_keeping_part_of_the_request(answer: &'static [u8]) -> Server {
    serve_raw("127.0.0.1", move |mut stream| {
        let mut some = [0; 64];
        let _read = stream.read(&mut some);
        let _gone = stream.write_all(answer);
        sleep(Duration::from_millis(100));
        String::new()
    })
}

#[test]
fn another_transfer_encoding_is_refused() {
    for (value, fine) in
        [("chunked", true), ("gzip", false), ("gzip, chunked", false), ("chunked\r\ntransfer-encoding: gzip", false)]
    {
        let server = answering(&format!("HTTP/1.1 200 OK\r\ntransfer-encoding: {value}\r\n\r\n3\r\nabc\r\n0\r\n\r\n"));
        let mut door = door(&[&server.grant("GET")]);
        match send(&mut door, &get(&server.url("/v1/x"))) {
            Ok(response) => assert!(fine && response.body == b"abc", "{value}"),
            Err(HttpError::MaybeSent(why)) => assert!(!fine && why.contains("transfer-encoding"), "{value}: {why}"),
            Err(other) => panic!("{other:?}"),
        }
    }
}

#[test]
fn no_tls_means_not_sent() {
    let server = answering("plain text");
    let mut door = door(&[&format!("POST https://127.0.0.1:{}/", server.port)]);
    let answer = send(&mut door, &post(&format!("https://127.0.0.1:{}/x", server.port), "{{secret:key}}"));
    assert!(matches!(&answer, Err(HttpError::NotSent(_))), "{answer:?}");
    assert_eq!(door.sent, 0);
    assert!(!server.requests().concat().contains(SECRET));
}

#[test]
fn one_deadline_holds_for_silent_and_for_dripping_servers() {
    let silent = serve(|_, _| sleep(Duration::from_secs(3)));
    let drip_head = serve(|_, stream| {
        for byte in b"HTTP/1.1 200 OK\r\nx-a: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\r\n" {
            if stream.write_all(&[*byte]).is_err() {
                return;
            }
            sleep(Duration::from_millis(50));
        }
    });
    let drip_body = serve(|_, stream| {
        let _gone = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n");
        while stream.write_all(b"x").is_ok() {
            sleep(Duration::from_millis(50));
        }
    });
    for server in [silent, drip_head, drip_body] {
        let mut door = door(&[&server.grant("GET")]);
        let begun = Instant::now();
        let why = maybe_sent(door.send(&get(&server.url("/v1/x")), &short(300)));
        assert!(begun.elapsed() < Duration::from_millis(2500), "{:?}", begun.elapsed());
        assert_eq!(why, "the answer takes too long");
        assert_eq!(door.sent, 1);
    }
}

#[test]
fn too_large_answers_are_cut_off() {
    let most = Limits::default().http_response_bytes;
    let exact = answering(&ok(&"x".repeat(most)));
    let mut door_exact = door(&[&exact.grant("GET")]);
    assert_eq!(send(&mut door_exact, &get(&exact.url("/v1/x"))).unwrap().body.len(), most);
    for head in [format!("content-length: {}", most + 1), "content-length: 99999999999".to_owned(), "x-a: b".to_owned()]
    {
        let server = serve(move |_, stream| {
            let _gone = stream.write_all(format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n").as_bytes());
            while stream.write_all(&[b'x'; 65536]).is_ok() {}
        });
        let mut door = door(&[&server.grant("GET")]);
        assert_eq!(
            maybe_sent(send(&mut door, &get(&server.url("/v1/x")))),
            format!("the answer has more than {most} bytes")
        );
    }
}

#[test]
fn header_bombs_are_cut_off() {
    let limits = Limits::default();
    let many: String = (0..=limits.http_headers).map(|index| format!("x-{index}: y\r\n")).collect();
    let far_too_many: String = (0..100_000).map(|index| format!("x-{index}: y\r\n")).collect();
    let long = format!("x-a: {}\r\n", "y".repeat(limits.http_header_bytes));
    for headers in [many, far_too_many, long] {
        let server = answering(&format!("HTTP/1.1 200 OK\r\n{headers}content-length: 0\r\n\r\n"));
        let mut door = door(&[&server.grant("GET")]);
        let why = maybe_sent(send(&mut door, &get(&server.url("/v1/x"))));
        assert!(why.contains("headers") || why.contains("no HTTP"), "{why}");
    }
}

#[test]
fn a_call_sends_a_bounded_number_of_requests() {
    let server = answering(&ok(""));
    let mut door = door(&[&server.grant("GET")]);
    for _ in 0..Limits::default().http_calls {
        send(&mut door, &get(&server.url("/v1/x"))).unwrap();
    }
    assert!(
        matches!(send(&mut door, &get(&server.url("/v1/x"))), Err(HttpError::InvalidRequest(why)) if why.contains("at most 64"))
    );
}

fn redirecting(status: u16, location: String) -> Server {
    answering(&format!("HTTP/1.1 {status} Moved\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n"))
}

#[test]
fn a_redirect_is_judged_like_a_request() {
    let end = answering(&ok("the end"));
    let start = redirecting(307, end.url("/v1/y"));
    let mut granted = door(&[&start.grant("POST"), &end.grant("POST")]);
    assert_eq!(send(&mut granted, &post(&start.url("/v1/x"), "a=b")).unwrap().body, b"the end");
    assert!(end.requests()[0].ends_with("a=b"));
    assert_eq!(granted.sent, 2);
    let mut half = door(&[&start.grant("POST")]);
    let why = maybe_sent(send(&mut half, &post(&start.url("/v1/x"), "a=b")));
    assert_eq!(
        why,
        format!(
            "the answer redirects to another place: `POST http://127.0.0.1:{}/v1/` is not granted: add it to `grants` of the `Plugin` document if it is meant",
            end.port
        )
    );
    assert_eq!((half.sent, end.requests().len()), (1, 0));
    for evil in [
        "http://169.254.169.254/latest/meta-data/",
        "//evil.example/v1/",
        "/v2/admin",
        "file:///etc/passwd",
        "/v1/../admin",
    ] {
        let server = redirecting(302, evil.to_owned());
        let mut door = door(&[&server.grant("GET")]);
        let why = maybe_sent(send(&mut door, &get(&server.url("/v1/x"))));
        assert!(why.contains("redirect"), "{evil}: {why}");
        assert_eq!((door.sent, server.requests().len()), (1, 1), "{evil}");
    }
}

#[test]
fn a_redirect_leads_to_checked_addresses_only() {
    let server = redirecting(302, "https://api.example.com/x".to_owned());
    let mut door = door_in(leading_to("10.0.0.1"), &[&server.grant("GET"), "GET https://api.example.com/"]);
    assert!(maybe_sent(send(&mut door, &get(&server.url("/v1/x")))).contains("10.0.0.1, a private address"));
}

#[test]
fn a_secret_is_never_redirected_to_another_endpoint() {
    let end = answering(&ok(""));
    let start = redirecting(307, end.url("/v1/y"));
    let mut door = door(&[&start.grant("POST"), &end.grant("POST")]);
    let why = maybe_sent(send(&mut door, &post(&start.url("/v1/x"), "key={{secret:key}}")));
    assert!(why.contains("carries a secret that is not taken there"), "{why}");
    assert!(end.requests().is_empty());
}

#[test]
fn redirects_end() {
    let server = redirecting(302, "/v1/x".to_owned());
    let mut door = door(&[&server.grant("GET")]);
    assert_eq!(maybe_sent(send(&mut door, &get(&server.url("/v1/x")))), "the answer redirects more than 3 times");
    assert_eq!(door.sent, 4);
}

/// What a guest, a log and a recording get to see of a server that says everything that it knows.
#[test]
fn an_echoing_server_gives_no_secret_away_in_any_form() {
    let server = serve(|request, stream| {
        let key = SECRET;
        let percent: String = key.bytes().map(|b| format!("%{b:02X}")).collect();
        let basic = STANDARD.encode(format!("user:{key}"));
        let url = URL_SAFE_NO_PAD.encode(format!("{key}:"));
        let body = format!("{request}\n{percent}\n{basic}\n{url}\n{}", key.replace('/', "\\/"));
        let head = format!("HTTP/1.1 200 OK\r\nx-echo: {key}\r\nx-basic: {basic}\r\nset-cookie: k={percent}\r\n");
        let _gone = stream.write_all(format!("{head}content-length: {}\r\n\r\n{body}", body.len()).as_bytes());
    });
    let mut door = door(&[&server.grant("POST")]);
    let mut request = post(&server.url("/v1/x"), "key={{secret:key}}");
    request.headers = vec![("authorization".into(), "Bearer {{secret:key}}".into())];
    let response = send(&mut door, &request).unwrap();
    assert_eq!(server.requests()[0].matches(SECRET).count(), 2, "it did arrive");
    let body = String::from_utf8(response.body.clone()).unwrap();
    let told = format!(
        "{body}{:?}{:?}{:?}",
        response.headers,
        serde_json::to_string(&door.recording).unwrap(),
        door.recording
    );
    for form in [
        SECRET.to_owned(),
        SECRET.to_ascii_lowercase(),
        STANDARD.encode(SECRET),
        SECRET.bytes().map(|b| format!("%{b:02X}")).collect(),
        SECRET.replace('/', "\\/"),
    ] {
        assert!(!told.contains(&form), "{form} in {told}");
    }
    // Of the base64 forms only characters that also depend on the neighbours of the secret are left.
    let inner = STANDARD.encode(format!("user:{SECRET}"));
    assert!(!told.contains(&inner[7..inner.len() - 4]));
    assert!(body.contains("Bearer *******"), "{body}");
    assert!(told.contains("Bearer {{secret:key}}"), "the recording has the place, not the value");
    assert_eq!(door.blank_text(format!("log {SECRET}")), format!("log {}", "*".repeat(SECRET.len())));
    assert!(!format!("{:?}", door_access()).contains(SECRET));
}

fn door_access() -> Access {
    Access { secrets: Secrets::new([("key", SECRET)]).unwrap(), ..Access::default() }
}

#[test]
fn an_error_that_repeats_a_secret_is_blanked_too() {
    let server = redirecting(302, format!("https://evil.example/{SECRET}/x"));
    let mut door = door(&[&server.grant("GET")]);
    let why = maybe_sent(send(&mut door, &get(&server.url("/v1/x"))));
    assert!(why.contains("evil.example/****") && !why.contains(SECRET), "{why}");
}

#[test]
fn a_compressed_answer_is_refused_because_it_could_hide_a_secret() {
    let server = answering("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 3\r\n\r\nabc");
    let mut door = door(&[&server.grant("GET")]);
    assert!(maybe_sent(send(&mut door, &get(&server.url("/v1/x")))).contains("compressed"));
}

#[test]
fn an_undeclared_secret_is_not_sent() {
    let server = answering(&ok(""));
    let mut door = door(&[&server.grant("POST")]);
    let answer = send(&mut door, &post(&server.url("/v1/x"), "{{secret:other}}"));
    assert!(matches!(answer, Err(HttpError::InvalidRequest(why)) if why.contains("`other` is not declared")));
    assert_eq!((door.sent, server.requests().len()), (0, 0));
}

#[test]
fn secrets_are_bounded_and_show_nothing() {
    for (value, said) in [
        ("short", "fewer than 8"),
        ("has space in it", "space"),
        ("has\nline-end", "line end"),
        ("nön-ascii-key", "another character"),
    ] {
        let error = Secrets::new([("key", value)]).unwrap_err().to_string();
        assert!(error.contains(said) && error.contains("`key`") && !error.contains(value), "{error}");
    }
    assert!(Secrets::new([("key", "x".repeat(5000))]).is_err());
    assert_eq!(format!("{:?}", Secrets::new([("key", SECRET)]).unwrap()), "{\"key\"}");
}

#[test]
fn a_recording_plays_back_without_a_network() {
    let server = serve(|request, stream| {
        let body = if request.starts_with("GET") { "\u{1}binary\u{2}" } else { "made" };
        let _gone = stream.write_all(ok(body).as_bytes());
    });
    let grants = [&*server.grant("GET"), &*server.grant("POST")];
    let mut live = door(&grants);
    let requests = [post(&server.url("/v1/x"), "key={{secret:key}}"), get(&server.url("/v1/x"))];
    let answers: Vec<_> = requests.iter().map(|request| send(&mut live, request).unwrap()).collect();
    let text = serde_json::to_string(&live.recording).unwrap();
    let recording: Recording = serde_json::from_str(&text).unwrap();
    assert_eq!(recording, live.recording);
    drop(server);
    let mut played = door_in(Network::playing(recording.clone()), &grants);
    let again: Vec<_> = requests.iter().map(|request| send(&mut played, request).unwrap()).collect();
    assert_eq!((answers, live.sent), (again, played.sent));
    assert!(denied(send(&mut played, &requests[0])).contains("no further request"));
    let mut other = door_in(Network::playing(recording), &grants);
    assert!(denied(send(&mut other, &requests[1])).contains("another request here"));
    assert!(matches!(&other.recording.exchanges[0].answer, Answered::Denied { .. }));
}
