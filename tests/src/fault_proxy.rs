//! A proxy on this machine that passes requests on to a gateway and does to each reply what it was told: drops, delays,
//! doubles it, or cuts it at a byte.

use crate::wire;
use std::collections::VecDeque;
use std::io::Write;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// What happens to one exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Nothing bad.
    Pass,
    /// The request never reaches the gateway.
    LoseRequest,
    /// The gateway does it, and its reply is lost.
    LoseReply,
    /// Only so many bytes of the reply arrive.
    Cut(usize),
    /// The reply arrives late.
    Late(Duration),
    /// The reply arrives twice.
    Twice,
    /// The gateway sees the request twice; the second reply arrives.
    AskTwice,
}

/// A running proxy. It ends with the test's process.
#[derive(Debug, Clone)]
pub struct FaultProxy {
    /// Where it listens, on this machine.
    pub port: u16,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug, Default)]
struct Shared {
    fates: VecDeque<Fate>,
    heads: Vec<String>,
    last_reply_bytes: usize,
}

impl FaultProxy {
    /// A proxy in front of a port.
    pub fn start(gateway: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let shared = Arc::new(Mutex::new(Shared::default()));
        let proxy = Self { port, shared };
        let served = proxy.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let served = served.clone();
                thread::spawn(move || served.serve(stream, gateway));
            }
        });
        proxy
    }

    /// What happens to the coming exchanges, in order; those after them pass.
    pub fn next(&self, fates: &[Fate]) {
        let mut shared = self.shared();
        shared.fates = fates.iter().copied().collect();
    }

    /// Whether everything that was to happen has happened.
    pub fn is_spent(&self) -> bool {
        self.shared().fates.is_empty()
    }

    /// The heads of all requests that came by, as they were sent.
    pub fn heads(&self) -> Vec<String> {
        self.shared().heads.clone()
    }

    /// How long the last reply of the gateway was, head included.
    pub fn last_reply_bytes(&self) -> usize {
        self.shared().last_reply_bytes
    }

    fn shared(&self) -> std::sync::MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One exchange for each connection: whoever asks has to connect anew.
    fn serve(&self, mut client: TcpStream, gateway: u16) {
        let Ok(Some(request)) = wire::read_request(&mut client) else { return };
        let fate = self.shared().fates.pop_front().unwrap_or(Fate::Pass);
        if let Some((head, _)) = wire::split(&request) {
            self.shared().heads.push(head.to_owned());
        }
        if fate != Fate::LoseRequest {
            let request = closing(&request);
            if fate == Fate::AskTwice {
                _ = wire::exchange(gateway, &request);
            }
            let reply = wire::exchange(gateway, &request).unwrap_or_default();
            self.shared().last_reply_bytes = reply.len();
            answer(&mut client, &reply, fate);
        }
        _ = client.shutdown(Shutdown::Both);
    }
}

fn answer(client: &mut TcpStream, reply: &[u8], fate: Fate) {
    let sent = match fate {
        Fate::Pass | Fate::AskTwice => client.write_all(reply),
        Fate::LoseRequest | Fate::LoseReply => Ok(()),
        Fate::Cut(bytes) => client.write_all(&reply[..bytes.min(reply.len())]),
        Fate::Late(delay) => {
            thread::sleep(delay);
            client.write_all(reply)
        }
        Fate::Twice => client.write_all(reply).and_then(|()| client.write_all(reply)),
    };
    // Whoever asked may be gone by now; that is no fault of the proxy.
    _ = sent;
}

/// The request with `Connection: close`, so that the gateway's reply has an end.
fn closing(request: &[u8]) -> Vec<u8> {
    let Some((head, body)) = wire::split(request) else { return request.to_vec() };
    let kept = head.split("\r\n").filter(|line| !line.to_ascii_lowercase().starts_with("connection:"));
    let mut closed = kept.collect::<Vec<_>>().join("\r\n").into_bytes();
    closed.extend_from_slice(b"\r\nConnection: close\r\n\r\n");
    closed.extend_from_slice(body);
    closed
}
