//! Requests through proxies that are slow, wrongly named, or of another kind than HTTP.

use super::door::Door;
use super::proxy::Proxies;
use super::testing::{Authority, Server, ok, serve_raw, serve_tls};
use super::{Access, Network, NetworkOptions, Secrets};
use crate::bindings::http::{HttpError, Request, Response};
use crate::limits::Limits;
use crate::manifest::Permission;
use std::io::{Read as _, Write as _, copy};
use std::net::{IpAddr, Ipv4Addr, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

const SECRET: &str = "sk_test_behind_a_proxy";
const URL: &str = "https://api.gateway.example/v1/charges";

fn send(variable: &str, value: &str, extra_ca: Option<PathBuf>, limits: &Limits) -> (Result<Response, HttpError>, u32) {
    let proxies = Proxies::read(|name| (name == variable).then(|| Ok(value.to_owned())));
    let options = NetworkOptions { extra_ca, ..NetworkOptions::default() };
    // Where the proxy leaves the name to this side, it is public; nothing here connects to it.
    let lookup = Arc::new(|_: &str| Ok(vec![IpAddr::V4(Ipv4Addr::new(1, 1, 1, 1))]));
    let access = Access {
        grants: vec!["POST https://api.gateway.example/v1/".parse().unwrap()],
        secrets: Secrets::new([("key", SECRET)]).unwrap(),
        network: Network::through(proxies, options, lookup),
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
        url: URL.into(),
        headers: vec![("authorization".into(), "Bearer {{secret:key}}".into())],
        body: b"a=b".to_vec(),
    };
    let answer = door.send(&request, limits);
    (answer, door.sent)
}

/// A proxy that says its answer byte by byte held a request for as long as it liked: each byte was waited for anew.
#[test]
fn a_dripping_proxy_is_left_at_the_deadline() {
    let proxy = serve_raw("127.0.0.1", |mut stream| {
        for byte in b"HTTP/1.1 200 OK\r\nx-slow: ".iter().chain(&[b'x'; 200]) {
            if stream.write_all(&[*byte]).is_err() {
                break;
            }
            thread::sleep(Duration::from_millis(50));
        }
        String::new()
    });
    let limits = Limits { http_deadline: Duration::from_millis(400), ..Limits::default() };
    let begun = Instant::now();
    let (answer, sent) = send("HTTPS_PROXY", &format!("http://127.0.0.1:{}", proxy.port), None, &limits);
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    assert!(matches!(&answer, Err(HttpError::NotSent(why)) if why == "connecting takes too long"), "{answer:?}");
    assert_eq!(sent, 0);
}

#[test]
fn a_proxy_that_cannot_be_read_sends_nothing() {
    let (answer, sent) = send("HTTPS_PROXY", "htp://127.0.0.1:9", None, &Limits::default());
    assert!(matches!(&answer, Err(HttpError::NotSent(why)) if why.contains("`HTTPS_PROXY`")), "{answer:?}");
    assert_eq!(sent, 0);
}

/// A proxy for SOCKS 5 that leads everything to one port; answers the place that it was asked for.
fn socks(gateway: u16) -> Server {
    serve_raw("127.0.0.1", move |mut client| {
        let mut greeting = [0; 3];
        client.read_exact(&mut greeting).unwrap();
        assert_eq!(greeting, [5, 1, 0]);
        client.write_all(&[5, 0]).unwrap();
        let mut head = [0; 4];
        client.read_exact(&mut head).unwrap();
        let place = match head {
            [5, 1, 0, 3] => {
                let mut length = [0];
                client.read_exact(&mut length).unwrap();
                let mut name = vec![0; length[0].into()];
                client.read_exact(&mut name).unwrap();
                String::from_utf8(name).unwrap()
            }
            [5, 1, 0, 1] => {
                let mut address = [0; 4];
                client.read_exact(&mut address).unwrap();
                Ipv4Addr::from(address).to_string()
            }
            other => panic!("{other:?}"),
        };
        let mut port = [0; 2];
        client.read_exact(&mut port).unwrap();
        client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).unwrap();
        let mut server = TcpStream::connect(("127.0.0.1", gateway)).unwrap();
        let (mut up_from, mut up_to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
        thread::spawn(move || copy(&mut up_from, &mut up_to));
        thread::spawn(move || copy(&mut server, &mut client));
        format!("{place}:{}", u16::from_be_bytes(port))
    })
}

#[test]
fn a_socks_proxy_carries_requests_with_or_without_names() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    for (scheme, place) in [("socks5h", "api.gateway.example:443"), ("socks5", "1.1.1.1:443")] {
        let gateway = serve_tls(authority.server("api.gateway.example", 2090), |_, stream| {
            let _gone = stream.write_all(ok("through").as_bytes());
        });
        let proxy = socks(gateway.port);
        let value = format!("{scheme}://127.0.0.1:{}", proxy.port);
        let (answer, sent) = send("ALL_PROXY", &value, Some(authority.file(&folder)), &Limits::default());
        assert_eq!((answer.unwrap().body.as_slice(), sent), (b"through".as_slice(), 1));
        assert!(gateway.requests().concat().contains(SECRET));
        assert_eq!(proxy.requests(), [place]);
    }
}
