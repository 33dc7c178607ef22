//! For tests: a server on this machine that does exactly what a test says, byte by byte.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
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
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
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

fn read_request(stream: &TcpStream) -> String {
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
