//! A proxy on this machine that passes requests on to a gateway and does to each exchange what it was told: drops, delays
//! or doubles it, or cuts the request or the reply at a byte.

use crate::wire;
use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// How long a gateway may think about a part of a request.
const PART_PATIENCE: Duration = Duration::from_millis(500);

/// What happens to one exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Nothing bad.
    Pass,
    /// The request never reaches the gateway.
    LoseRequest,
    /// Only so many bytes of the request reach the gateway, and no reply arrives.
    CutRequest(usize),
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
    last_request_bytes: usize,
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

    /// How long the last request was, head included, as the gateway would get it whole.
    pub fn last_request_bytes(&self) -> usize {
        self.shared().last_request_bytes
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
        let request = closing(&request);
        self.shared().last_request_bytes = request.len();
        match fate {
            Fate::LoseRequest => {}
            Fate::CutRequest(bytes) => part(gateway, &request[..bytes.min(request.len())]),
            Fate::Pass | Fate::LoseReply | Fate::Cut(_) | Fate::Late(_) | Fate::Twice | Fate::AskTwice => {
                if fate == Fate::AskTwice {
                    _ = wire::exchange(gateway, &request);
                }
                let reply = wire::exchange(gateway, &request).unwrap_or_default();
                self.shared().last_reply_bytes = reply.len();
                answer(&mut client, &reply, fate);
            }
        }
        _ = client.shutdown(Shutdown::Both);
    }
}

/// Sends a part of a request, says that this was all, and waits until the gateway is done with it: whatever it does, it
/// has done before anybody looks.
fn part(gateway: u16, bytes: &[u8]) {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", gateway)) else { return };
    let sent = stream.write_all(bytes).and_then(|()| stream.shutdown(Shutdown::Write));
    _ = stream.set_read_timeout(Some(PART_PATIENCE));
    // An error is as good as an end.
    _ = sent.and_then(|()| stream.read_to_end(&mut Vec::new()));
}

fn answer(client: &mut TcpStream, reply: &[u8], fate: Fate) {
    let sent = match fate {
        Fate::Pass | Fate::AskTwice => client.write_all(reply),
        Fate::LoseRequest | Fate::CutRequest(_) | Fate::LoseReply => Ok(()),
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
