//! The way out as a user sets it up: authorities beside the system's, and a proxy of the environment. The gateway speaks
//! TLS with a certificate of this test's own authority.

use crate::gateway::{APPLY, RENEW, SECRET, VARIABLE, read, reply, world_at};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use renewd_tests::process::{Answer, answer, command};
use renewd_tests::world::{World, verdicts};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{Read as _, Write as _, copy};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;

struct TlsGateway {
    port: u16,
    requests: Receiver<String>,
    authority_pem: String,
}

/// Takes every payment, over TLS, with a certificate for a name.
fn tls_gateway(name: &str) -> TlsGateway {
    let authority_key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_pem = authority.self_signed(&authority_key).unwrap().pem();
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    let builder = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = Arc::new(builder.with_single_cert(vec![certificate.der().clone()], key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, requests) = channel();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = StreamOwned::new(connection, stream);
            // Whoever does not believe the certificate leaves before there is a request.
            if stream.conn.complete_io(&mut stream.sock).is_err() {
                continue;
            }
            let request = read(&mut stream);
            let body = reply(&request);
            let head = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}", body.len());
            _ = stream.write_all(format!("{head}\r\n\r\n{body}").as_bytes());
            stream.conn.send_close_notify();
            _ = stream.flush();
            if sender.send(request).is_err() {
                return;
            }
        }
    });
    TlsGateway { port, requests, authority_pem }
}

/// A proxy that leads every connection to one port, and keeps what it was told.
struct Proxy {
    port: u16,
    heads: Arc<Mutex<Vec<String>>>,
}

fn proxy(gateway: u16) -> Proxy {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let heads = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&heads);
    thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && client.read(&mut byte).is_ok_and(|count| count == 1) {
                head.push(byte[0]);
            }
            kept.lock().unwrap().push(String::from_utf8_lossy(&head).into_owned());
            let mut server = TcpStream::connect(("127.0.0.1", gateway)).unwrap();
            client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").unwrap();
            let (mut up_from, mut up_to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            thread::spawn(move || copy(&mut up_from, &mut up_to));
            thread::spawn(move || copy(&mut server, &mut client));
        }
    });
    Proxy { port, heads }
}

fn authority(world: &World, gateway: &TlsGateway) -> PathBuf {
    world.write("authority.pem", &gateway.authority_pem);
    world.path().join("authority.pem")
}

fn renew(world: &World, variables: &[(&str, String)]) -> Answer {
    let args = [RENEW.as_slice(), &["-o", "json"]].concat();
    let mut renewd = command(world.path(), Some(world.now()), &args);
    renewd.env(VARIABLE, SECRET);
    answer(renewd.envs(variables.iter().map(|(name, value)| (*name, value))))
}

#[track_caller]
fn renewed(found: &Answer) {
    assert_eq!(verdicts(&found.json())["renewed"], 1, "{found:?}");
}

#[track_caller]
fn nothing_was_sent(found: &Answer, gateway: &TlsGateway, why: &str) {
    assert_eq!(verdicts(&found.json()).get("refused"), Some(&1), "{found:?}");
    assert!(found.stdout.contains(why), "{found:?}");
    assert_eq!(gateway.requests.try_iter().count(), 0);
}

#[test]
fn an_authority_beside_the_systems_is_trusted_where_the_environment_names_it() {
    let gateway = tls_gateway("localhost");
    let world = world_at(&format!("https://localhost:{}", gateway.port));
    world.run(APPLY).exits(0);
    nothing_was_sent(&renew(&world, &[]), &gateway, "certificate");
    let file = authority(&world, &gateway).display().to_string();
    renewed(&renew(&world, &[("RENEWD_CA_FILE", file)]));
    assert!(gateway.requests.try_iter().any(|request| request.contains(SECRET)));
}

#[test]
fn the_systems_own_authorities_are_trusted() {
    let gateway = tls_gateway("localhost");
    let world = world_at(&format!("https://localhost:{}", gateway.port));
    world.run(APPLY).exits(0);
    // Where the system keeps its authorities can be said by this variable, as for other programs.
    let file = authority(&world, &gateway).display().to_string();
    renewed(&renew(&world, &[("SSL_CERT_FILE", file)]));
}

#[test]
fn a_file_of_authorities_that_is_missing_stops_the_payment_with_its_name() {
    let gateway = tls_gateway("localhost");
    let world = world_at(&format!("https://localhost:{}", gateway.port));
    world.run(APPLY).exits(0);
    let found = renew(&world, &[("RENEWD_CA_FILE", "no/such/file.pem".to_owned())]);
    nothing_was_sent(&found, &gateway, "cannot read the certificates in `no/such/file.pem`");
}

#[test]
fn a_proxy_of_the_environment_carries_requests_and_sees_no_secret() {
    let gateway = tls_gateway("api.gateway.example");
    let proxy = proxy(gateway.port);
    let world = world_at("https://api.gateway.example");
    world.run(APPLY).exits(0);
    let file = authority(&world, &gateway).display().to_string();
    let through = ("HTTPS_PROXY", format!("http://127.0.0.1:{}", proxy.port));
    let trusted = ("RENEWD_CA_FILE", file);
    let spared = [through.clone(), trusted.clone(), ("NO_PROXY", "api.gateway.example".to_owned())];
    nothing_was_sent(&renew(&world, &spared), &gateway, "api.gateway.example");
    assert!(proxy.heads.lock().unwrap().is_empty(), "NO_PROXY spares this host the proxy");
    renewed(&renew(&world, &[through, trusted]));
    let heads = proxy.heads.lock().unwrap().clone();
    assert!(!heads.is_empty());
    for head in &heads {
        assert!(head.starts_with("CONNECT api.gateway.example:443 HTTP/1.1\r\n"), "{head}");
        assert!(!head.contains(SECRET) && !head.to_lowercase().contains("authorization: bearer"), "{head}");
    }
    assert!(gateway.requests.try_iter().any(|request| request.contains(SECRET)), "the gateway did get it");
}

#[test]
fn a_proxy_that_cannot_be_read_stops_the_payment_with_the_name_of_its_variable() {
    let gateway = tls_gateway("api.gateway.example");
    let world = world_at("https://api.gateway.example");
    world.run(APPLY).exits(0);
    let found = renew(&world, &[("HTTPS_PROXY", "htp://user:hunter22@127.0.0.1:9".to_owned())]);
    nothing_was_sent(&found, &gateway, "the variable `HTTPS_PROXY` does not name a proxy");
    assert!(!found.stdout.contains("hunter22") && !found.stderr.contains("hunter22"), "{found:?}");
}
