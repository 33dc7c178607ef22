//! One connection to the gateway: requests in, replies out, and every way in which a reply can fail to arrive.
//!
//! A request is peeked at before it is taken, so that a connection can be closed with unread bytes: the system then
//! sends a reset, as a gateway that falls over does.

use super::books::{Asked, Reply};
use super::form;
use crate::wire;
use serde_json::Value;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

const REQUEST_BYTES_MAX: usize = 256 * 1024;
const IDLE: Duration = Duration::from_secs(60);
const RETRY: Duration = Duration::from_micros(200);

/// A request that is still in the system's buffer.
#[derive(Debug)]
pub struct Peeked {
    /// Whose till it is for.
    pub secret: String,
    /// What is asked.
    pub asked: Asked,
    /// Whether the other side wants no further reply.
    pub is_last: bool,
    bytes: usize,
}

/// Waits for a whole request; `None` once the other side is gone.
pub fn peek(stream: &TcpStream) -> io::Result<Option<Peeked>> {
    stream.set_read_timeout(Some(IDLE))?;
    let mut buffer = vec![0; REQUEST_BYTES_MAX];
    let mut before = 0;
    loop {
        let count = stream.peek(&mut buffer)?;
        if count == 0 {
            return Ok(None);
        }
        if let Some(peeked) = read(&buffer[..count]) {
            return Ok(Some(peeked));
        }
        if count == before {
            std::thread::sleep(RETRY);
        }
        before = count;
    }
}

fn read(bytes: &[u8]) -> Option<Peeked> {
    let (head, body) = wire::split(bytes)?;
    let length = wire::header(head, "content-length").map_or(Some(0), |text| text.parse::<usize>().ok())?;
    let body = std::str::from_utf8(body.get(..length)?).ok()?;
    let mut words = head.lines().next()?.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let form = form::read(if method == "GET" { query } else { body });
    let secret = wire::header(head, "authorization").and_then(|value| value.strip_prefix("Bearer "));
    let key = wire::header(head, "idempotency-key").map(str::to_owned);
    let is_last = wire::header(head, "connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
    Some(Peeked {
        secret: secret.unwrap_or_default().to_owned(),
        asked: Asked { method, path: path.to_owned(), form, key },
        is_last,
        bytes: head.len() + 4 + length,
    })
}

/// Takes the request out of the system's buffer.
pub fn take(stream: &mut TcpStream, peeked: &Peeked) -> io::Result<()> {
    stream.read_exact(&mut vec![0; peeked.bytes])
}

/// How a reply arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// Whole.
    Whole,
    /// Twice.
    Twice,
    /// Only its first bytes.
    Cut(usize),
}

/// Sends a reply; says whether the connection can be used again.
pub fn send(stream: &mut TcpStream, reply: &Reply, arrival: Arrival) -> io::Result<bool> {
    let body = match &reply.body {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    };
    let head = format!(
        "HTTP/1.1 {} Answer\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        reply.status,
        body.len()
    );
    let bytes = [head.as_bytes(), body.as_bytes()].concat();
    match arrival {
        Arrival::Whole => stream.write_all(&bytes)?,
        Arrival::Twice => stream.write_all(&[bytes.as_slice(), bytes.as_slice()].concat())?,
        Arrival::Cut(count) => stream.write_all(&bytes[..count.min(bytes.len().saturating_sub(1))])?,
    }
    Ok(arrival == Arrival::Whole)
}
