//! TLS: whose certificates are believed, and what has been sent when they are not.

use super::door::Door;
use super::testing::{Authority, Server, ok, serve_tls};
use super::{Access, Network, NetworkOptions, Secrets};
use crate::bindings::http::{HttpError, Request, Response};
use crate::limits::Limits;
use crate::manifest::Permission;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

const SECRET: &str = "sk_test_behind_tls";

fn trusting(extra_ca: Option<PathBuf>) -> Network {
    Network::new(NetworkOptions { extra_ca, ..NetworkOptions::default() })
}

fn post(network: Network, host: &str, server: &Server) -> (Result<Response, HttpError>, u32) {
    let base = format!("https://{host}:{}/v1/", server.port);
    let access = Access {
        grants: vec![format!("POST {base}").parse().unwrap()],
        secrets: Secrets::new([("key", SECRET)]).unwrap(),
        network,
    };
    let asked = Permission {
        method: "POST".into(),
        scheme: "https".into(),
        host: "*".into(),
        port: 0,
        path_prefix: "/v1/".into(),
    };
    let mut door = Door::new(Arc::new(access), vec![asked].into());
    let request = Request {
        method: "POST".into(),
        url: format!("{base}charges"),
        headers: vec![("authorization".into(), "Bearer {{secret:key}}".into())],
        body: b"a=b".to_vec(),
    };
    let answer = door.send(&request, &Limits::default());
    (answer, door.sent)
}

fn answering(config: rustls::ServerConfig) -> Server {
    serve_tls(config, |_, stream| {
        let _gone = stream.write_all(ok("over TLS").as_bytes());
    })
}

#[track_caller]
fn not_sent(answer: Result<Response, HttpError>) -> String {
    match answer {
        Err(HttpError::NotSent(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_extra_authority_is_trusted_and_an_unknown_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    for (name, host) in [("localhost", "localhost"), ("127.0.0.1", "127.0.0.1")] {
        let server = answering(authority.server(name, 2090));
        let (answer, sent) = post(trusting(Some(authority.file(&folder))), host, &server);
        assert_eq!((answer.unwrap().body.as_slice(), sent), (b"over TLS".as_slice(), 1));
        assert!(server.requests().concat().contains(SECRET), "over TLS it does arrive");
        let elsewhere = tempfile::tempdir().unwrap();
        let stranger = Authority::new().file(&elsewhere);
        for extra in [None, Some(stranger.clone())] {
            let (answer, sent) = post(trusting(extra), host, &server);
            let why = not_sent(answer);
            assert!(why.contains("certificate"), "{why}");
            assert_eq!((sent, server.requests().len()), (0, 0), "nothing is said before the certificate is believed");
        }
    }
}

#[test]
fn a_certificate_for_another_name_or_of_another_time_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    for (config, word) in
        [(authority.server("api.example.com", 2090), "name"), (authority.server("localhost", 2020), "xpired")]
    {
        let server = answering(config);
        let (answer, sent) = post(trusting(Some(authority.file(&folder))), "localhost", &server);
        let why = not_sent(answer);
        assert!(why.contains("certificate") && why.contains(word), "{why}");
        assert_eq!((sent, server.requests().len()), (0, 0));
    }
}

#[test]
fn a_connection_that_ends_over_tls_may_have_been_sent() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let server = serve_tls(authority.server("localhost", 2090), |_, stream| {
        let _gone = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf");
    });
    let (answer, sent) = post(trusting(Some(authority.file(&folder))), "localhost", &server);
    assert!(matches!(answer, Err(HttpError::MaybeSent(_))), "{answer:?}");
    assert_eq!(sent, 1);
}

/// Whoever cuts the connection below TLS must not decide where an answer ends.
#[test]
fn an_answer_without_a_length_ends_with_the_word_of_the_server_only() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    for says_goodbye in [true, false] {
        let server = serve_tls(authority.server("localhost", 2090), move |_, stream| {
            let _gone = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nan answer");
            let _gone = stream.flush();
            if !says_goodbye {
                let _gone = stream.sock.shutdown(std::net::Shutdown::Both);
            }
        });
        let (answer, sent) = post(trusting(Some(authority.file(&folder))), "localhost", &server);
        match answer {
            Ok(response) => assert!(says_goodbye && response.body == b"an answer"),
            Err(HttpError::MaybeSent(why)) => assert!(!says_goodbye, "{why}"),
            Err(other) => panic!("{other:?}"),
        }
        assert_eq!(sent, 1);
    }
}

#[test]
fn a_file_that_is_no_authority_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let server = answering(Authority::new().server("localhost", 2090));
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let cases: [(PathBuf, &str); 3] = [
        (folder.path().join("missing.pem"), "cannot read the certificates in"),
        (file("empty.pem", ""), "there is no certificate in"),
        (file("key.pem", "-----BEGIN CERTIFICATE-----\nnot base64!\n-----END CERTIFICATE-----\n"), "not a file of"),
    ];
    for (path, sentence) in cases {
        let (answer, sent) = post(trusting(Some(path.clone())), "localhost", &server);
        let why = not_sent(answer);
        assert!(why.contains(sentence) && names(&why, &path), "{why}");
        assert_eq!(sent, 0);
    }
}

fn names(why: &str, path: &Path) -> bool {
    why.contains(&path.display().to_string())
}

#[test]
fn a_handshake_that_never_ends_was_not_sent_and_has_a_deadline_of_its_own() {
    // Connections wait to be accepted, and nobody ever does.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let access =
        Access { grants: vec![format!("GET https://127.0.0.1:{port}/v1/").parse().unwrap()], ..Access::default() };
    let asked = Permission {
        method: "GET".into(),
        scheme: "https".into(),
        host: "*".into(),
        port: 0,
        path_prefix: "/v1/".into(),
    };
    let mut door = Door::new(Arc::new(access), vec![asked].into());
    let url = format!("https://127.0.0.1:{port}/v1/x");
    let request = Request { method: "GET".into(), url, headers: vec![], body: vec![] };
    let limits = Limits { http_connect: Duration::from_millis(300), ..Limits::default() };
    let begun = Instant::now();
    let why = not_sent(door.send(&request, &limits));
    assert_eq!((why.as_str(), door.sent), ("connecting takes too long", 0));
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}
