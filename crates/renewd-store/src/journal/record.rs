//! One journal record as bytes: encoding, and decoding that trusts nothing.
//!
//! Must never return a record whose check or length does not fit, nor read past the limit on its length.

use crate::limits::RECORD_BYTES_MAX;
use crate::sequence::Sequence;
use renewd_core::ids::Digest;
use sha2::{Digest as _, Sha256};

/// The first bytes of every record. `0xAB` cannot occur in UTF-8 text, so no JSON payload contains it.
pub(crate) const MARKER: [u8; 4] = [0xAB, b'r', b'e', b'c'];
/// Bytes before the payload: marker, kind, length (3 bytes), sequence, hash of the previous record.
pub(crate) const HEAD_BYTES: usize = 48;
/// Bytes after the payload: the first eight bytes of the record's own hash.
pub(crate) const CHECK_BYTES: usize = 8;
/// The shortest record.
pub(crate) const RECORD_BYTES_MIN: usize = HEAD_BYTES + CHECK_BYTES;

/// What a record is within its run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Opens a run: who, when, with which command, and how long the run is.
    Header,
    /// One event.
    Event,
    /// Closes the run: without it the run does not exist.
    Mark,
}

impl Kind {
    fn byte(self) -> u8 {
        match self {
            Self::Header => 1,
            Self::Event => 2,
            Self::Mark => 3,
        }
    }

    fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Header),
            2 => Some(Self::Event),
            3 => Some(Self::Mark),
            _ => None,
        }
    }
}

/// A record whose own check fits. Whether it fits the chain is for the reader of the chain to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) kind: Kind,
    pub(crate) sequence: Sequence,
    pub(crate) previous: Digest,
    pub(crate) payload: Vec<u8>,
    pub(crate) hash: Digest,
}

impl Record {
    /// How many bytes of the file the record takes.
    pub(crate) fn bytes(&self) -> u64 {
        record_bytes(self.payload.len())
    }
}

/// What was found where a record should begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Decoded {
    /// A record whose check fits.
    Good(Record),
    /// The bytes end before the record does.
    Short,
    /// Not a record, and why.
    Bad(&'static str),
}

/// How many bytes of the file a record with such a payload takes.
pub(crate) fn record_bytes(payload_bytes: usize) -> u64 {
    (payload_bytes + RECORD_BYTES_MIN) as u64
}

/// Appends a record to `out` and returns its hash. The payload must be within [`RECORD_BYTES_MAX`].
pub(crate) fn encode(kind: Kind, sequence: Sequence, previous: &Digest, payload: &[u8], out: &mut Vec<u8>) -> Digest {
    assert!(payload.len() <= RECORD_BYTES_MAX, "a payload over the limit must be refused before it is encoded");
    let start = out.len();
    let [low, middle, high, ..] = (payload.len() as u64).to_le_bytes();
    out.extend_from_slice(&MARKER);
    out.extend_from_slice(&[kind.byte(), low, middle, high]);
    out.extend_from_slice(&sequence.get().to_le_bytes());
    out.extend_from_slice(previous.as_bytes());
    out.extend_from_slice(payload);
    let hash = hash_of(out.get(start..).unwrap_or_default());
    out.extend_from_slice(check_of(&hash));
    hash
}

fn hash_of(bytes: &[u8]) -> Digest {
    Digest::from_bytes(Sha256::digest(bytes).into())
}

fn check_of(hash: &Digest) -> &[u8] {
    hash.as_bytes().get(..CHECK_BYTES).unwrap_or_default()
}

/// The payload length that a record's first bytes claim, if they can be those of a record.
pub(crate) fn claimed_payload_bytes(head: &[u8]) -> Result<Option<usize>, &'static str> {
    if let Some(marker) = head.get(..4)
        && marker != MARKER
    {
        return Err("its marker is wrong");
    }
    let Some([kind, low, middle, high]) = head.get(4..8) else { return Ok(None) };
    if Kind::from_byte(*kind).is_none() {
        return Err("its type is unknown");
    }
    let length = u64::from_le_bytes([*low, *middle, *high, 0, 0, 0, 0, 0]) as usize;
    if length > RECORD_BYTES_MAX {
        return Err("its length is over the limit");
    }
    Ok(Some(length))
}

/// Decodes the record at the beginning of `bytes`, which may go on after it.
pub(crate) fn decode(bytes: &[u8]) -> Decoded {
    let length = match claimed_payload_bytes(bytes) {
        Ok(Some(length)) => length,
        Ok(None) => return Decoded::Short,
        Err(reason) => return Decoded::Bad(reason),
    };
    let (Some(covered), Some(check)) =
        (bytes.get(..HEAD_BYTES + length), bytes.get(HEAD_BYTES + length..HEAD_BYTES + length + CHECK_BYTES))
    else {
        return Decoded::Short;
    };
    let hash = hash_of(covered);
    if check != check_of(&hash) {
        return Decoded::Bad("its checksum does not fit");
    }
    let kind = covered.get(4).copied().and_then(Kind::from_byte);
    let sequence = covered.get(8..16).and_then(|b| b.try_into().ok()).map(u64::from_le_bytes);
    let previous = covered.get(16..HEAD_BYTES).and_then(|b| b.try_into().ok()).map(Digest::from_bytes);
    let payload = covered.get(HEAD_BYTES..).map(<[u8]>::to_vec);
    match (kind, sequence, previous, payload) {
        (Some(kind), Some(sequence), Some(previous), Some(payload)) => {
            Decoded::Good(Record { kind, sequence: Sequence::new(sequence), previous, payload, hash })
        }
        _ => Decoded::Bad("its parts are incomplete"),
    }
}
