//! For tests: a server on this machine that does exactly what a test says, byte by byte.

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

/// A running server.
pub(crate) struct Server {
    pub(crate) port: u16,
    requests: Receiver<String>,
}

impl Server {
    /// Every request that came so far: head and body as text.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.try_iter().collect()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub(crate) fn grant(&self, method: &str) -> String {
        format!("{method} http://127.0.0.1:{}/v1/", self.port)
    }
}

/// Starts a server that gives each connection's request to `act`.
pub(crate) fn serve(act: impl Fn(&str, &mut TcpStream) + Send + 'static) -> Server {
    serve_on("127.0.0.1", act)
}

/// The same at another address of this machine.
pub(crate) fn serve_on(address: &str, act: impl Fn(&str, &mut TcpStream) + Send + 'static) -> Server {
    let listener = TcpListener::bind((address, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, requests) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let request = read_request(&stream);
            if sender.send(request.clone()).is_err() {
                return;
            }
            act(&request, &mut stream);
        }
    });
    Server { port, requests }
}

/// Starts a server that gives each connection to `act`, which answers what it was told.
pub(crate) fn serve_raw(address: &str, act: impl Fn(TcpStream) -> String + Send + 'static) -> Server {
    let listener = TcpListener::bind((address, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, requests) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            if sender.send(act(stream.unwrap())).is_err() {
                return;
            }
        }
    });
    Server { port, requests }
}

/// Starts a server that answers everything alike.
pub(crate) fn answering(answer: &str) -> Server {
    let answer = answer.to_owned();
    serve(move |_, stream| {
        let _gone = stream.write_all(answer.as_bytes());
    })
}

/// A whole answer with a body.
pub(crate) fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

/// A certificate authority of a test.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// Its certificate in a file.
    pub(crate) fn file(&self, folder: &tempfile::TempDir) -> PathBuf {
        let path = folder.path().join("authority.pem");
        std::fs::write(&path, &self.pem).unwrap();
        path
    }

    /// What a server shows and signs with: a certificate for a name that ends with that year.
    pub(crate) fn server(&self, name: &str, last_year: i32) -> ServerConfig {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = date_time_ymd(2000, 1, 1);
        params.not_after = date_time_ymd(last_year, 12, 31);
        let certificate: CertificateDer<'static> = params.signed_by(&key, &self.issuer).unwrap().der().clone();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        config.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap()
    }
}

/// Starts a server over TLS that gives each connection's request to `act`.
pub(crate) fn serve_tls(
    config: ServerConfig,
    act: impl Fn(&str, &mut StreamOwned<ServerConnection, TcpStream>) + Send + 'static,
) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, requests) = channel();
    let config = Arc::new(config);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = StreamOwned::new(connection, stream.unwrap());
            let request = read_request(&mut stream);
            if request.is_empty() {
                continue;
            }
            if sender.send(request.clone()).is_err() {
                return;
            }
            act(&request, &mut stream);
            stream.conn.send_close_notify();
            let _gone = stream.flush();
        }
    });
    Server { port, requests }
}

fn read_request(stream: impl Read) -> String {
    let mut reader = BufReader::new(stream);
    let mut text = String::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return text;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        text.push_str(&line);
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap_or_default();
    text + &String::from_utf8_lossy(&body)
}
