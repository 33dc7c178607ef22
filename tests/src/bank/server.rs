//! The gateway's process: a thread for each connection, a till for each secret, every fate acted out.

use super::books::{Asked, Books, Reply};
use super::connection::{self, Arrival, Peeked};
use super::fate::Fate;
use super::ledger::Writer;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// How the gateway is set up.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Where the ledgers are kept.
    pub folder: PathBuf,
    /// Where it listens on this machine; 0 for any free port.
    pub port: u16,
    /// What goes wrong in every till that is told nothing else.
    pub fates: String,
    /// How long every answer to a charge takes.
    pub latency: Duration,
    /// Unix seconds that payments carry.
    pub created: i64,
}

/// The gateway.
#[derive(Debug)]
pub struct Server {
    setup: Setup,
    tills: Mutex<BTreeMap<String, Arc<Mutex<Books>>>>,
}

type Till = Arc<Mutex<Books>>;

/// Serves until the process ends; `listening` is told the port.
///
/// # Errors
/// The port cannot be had.
pub fn serve(setup: Setup, listening: impl FnOnce(u16)) -> io::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", setup.port))?;
    listening(listener.local_addr()?.port());
    let server = Arc::new(Server { setup, tills: Mutex::default() });
    for stream in listener.incoming().flatten() {
        let server = Arc::clone(&server);
        thread::spawn(move || server.converse(stream));
    }
    Ok(())
}

/// The ledger of a secret.
pub fn ledger_file(folder: &Path, secret: &str) -> PathBuf {
    folder.join(format!("{secret}.ndjson"))
}

fn lock(till: &Mutex<Books>) -> MutexGuard<'_, Books> {
    till.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Server {
    /// All requests of one connection.
    fn converse(&self, mut stream: TcpStream) {
        _ = stream.set_nodelay(true);
        while let Ok(Some(peeked)) = connection::peek(&stream) {
            if !self.exchange(&mut stream, &peeked).unwrap_or(false) || peeked.is_last {
                return;
            }
        }
    }

    /// One request; says whether the connection goes on.
    fn exchange(&self, stream: &mut TcpStream, peeked: &Peeked) -> io::Result<bool> {
        let Some(till) = self.till(&peeked.secret) else {
            connection::take(stream, peeked)?;
            return connection::send(stream, &Reply::refusal(401, "authentication_error", "bad_key"), Arrival::Whole);
        };
        let asked = &peeked.asked;
        if let Some(reply) = control(&till, asked) {
            connection::take(stream, peeked)?;
            return connection::send(stream, &reply, Arrival::Whole);
        }
        let Some(op) = Books::op(asked) else {
            connection::take(stream, peeked)?;
            return connection::send(
                stream,
                &Reply::refusal(404, "invalid_request_error", "unknown_path"),
                Arrival::Whole,
            );
        };
        let fate = lock(&till).fate(op);
        if fate == Fate::ResetBefore {
            return Ok(false);
        }
        if fate != Fate::ResetAfter {
            connection::take(stream, peeked)?;
        }
        match self.suffered(&till, asked, fate) {
            Suffered::Answer(reply, arrival) => connection::send(stream, &reply, arrival),
            Suffered::Nothing => {
                if fate != Fate::ResetAfter {
                    stream.flush()?;
                }
                Ok(false)
            }
        }
    }

    /// What comes of a request under a fate.
    fn suffered(&self, till: &Till, asked: &Asked, fate: Fate) -> Suffered {
        let whole = |reply| Suffered::Answer(reply, Arrival::Whole);
        match fate {
            Fate::Well | Fate::Decline | Fate::DeclineForGood | Fate::Processing(_) => {
                whole(self.done(till, asked, fate, Duration::ZERO))
            }
            Fate::Slow(time) => whole(self.done(till, asked, fate, time)),
            Fate::TimeoutBefore(time) => {
                thread::sleep(time);
                Suffered::Nothing
            }
            Fate::TimeoutAfter(time) => {
                self.done(till, asked, fate, Duration::ZERO);
                thread::sleep(time);
                Suffered::Nothing
            }
            Fate::Stall(time) => {
                let (till, asked, latency) = (Arc::clone(till), asked.clone(), self.setup.latency);
                thread::spawn(move || done(&till, &asked, fate, time + latency));
                Suffered::Nothing
            }
            Fate::ResetBefore => Suffered::Nothing,
            Fate::ResetAfter => {
                self.done(till, asked, fate, Duration::ZERO);
                Suffered::Nothing
            }
            Fate::ErrorBefore => whole(Reply::refusal(500, "api_error", "down")),
            Fate::ErrorAfter => whole(self.done(till, asked, fate, Duration::ZERO)),
            Fate::Garbage => {
                self.done(till, asked, fate, Duration::ZERO);
                whole(Reply::ok(Value::from("<html>it worked, more or less</html>")))
            }
            Fate::Cut(bytes) => Suffered::Answer(self.done(till, asked, fate, Duration::ZERO), Arrival::Cut(bytes)),
            Fate::Twice => Suffered::Answer(self.done(till, asked, fate, Duration::ZERO), Arrival::Twice),
            Fate::Busy => whole(Reply::refusal(429, "rate_limit_error", "rate_limit")),
            Fate::Blind => whole(Reply::ok(json!({ "object": "list", "data": [], "has_more": false }))),
        }
    }

    fn done(&self, till: &Till, asked: &Asked, fate: Fate, time: Duration) -> Reply {
        let posts = asked.method == "POST";
        done(till, asked, fate, if posts { time + self.setup.latency } else { time })
    }

    fn till(&self, secret: &str) -> Option<Till> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        if !secret.starts_with("sk_") || secret.len() > 200 || !secret.bytes().all(plain) {
            return None;
        }
        let mut tills = self.tills.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(till) = tills.get(secret) {
            return Some(Arc::clone(till));
        }
        let writer = Writer::open(&ledger_file(&self.setup.folder, secret)).ok()?;
        let mut books = Books::new(writer, self.setup.created);
        books.rules = self.setup.fates.parse().ok()?;
        let till = Arc::new(Mutex::new(books));
        tills.insert(secret.to_owned(), Arc::clone(&till));
        Some(till)
    }
}

enum Suffered {
    Answer(Reply, Arrival),
    Nothing,
}

/// Does what is asked, at most once for each key. The first answer under a key is kept whatever it was.
fn done(till: &Till, asked: &Asked, fate: Fate, time: Duration) -> Reply {
    if let Some(reply) = lock(till).begin(asked) {
        return reply;
    }
    thread::sleep(time);
    let mut books = lock(till);
    let reply = match Books::op(asked) {
        Some(op) => books.act(op, asked, fate),
        None => Reply::refusal(404, "invalid_request_error", "unknown_path"),
    };
    let reply = if fate == Fate::ErrorAfter { Reply::refusal(500, "api_error", "down") } else { reply };
    books.keep(asked, Some(&reply));
    reply
}

/// What only tests ask: `POST /control/fates`, `POST /control/complete`, `GET /control/seen`.
fn control(till: &Till, asked: &Asked) -> Option<Reply> {
    let field = |name: &str| asked.form.get(name).map(String::as_str).unwrap_or_default();
    let mut books = lock(till);
    match asked.path.strip_prefix("/control/")? {
        "fates" => match field("fates").parse() {
            Ok(rules) => {
                books.rules = rules;
                Some(Reply::ok(json!({})))
            }
            Err(why) => Some(Reply { status: 400, body: json!({ "error": why }) }),
        },
        "created" => {
            books.created = field("created").parse().unwrap_or(books.created);
            Some(Reply::ok(json!({})))
        }
        "complete" => Some(books.complete(field("payment"))),
        "seen" => Some(Reply::ok(json!(books.seen))),
        _ => Some(Reply::refusal(404, "invalid_request_error", "unknown_path")),
    }
}
