//! The fixed parts of the format: the file's first 64 bytes, and the payloads that open and close a run.

use crate::sequence::{Head, Place, Sequence};
use chrono::{DateTime, Utc};
use renewd_core::ids::Digest;
use serde::{Deserialize, Serialize};

/// The first bytes of a journal file.
pub(crate) const MAGIC: [u8; 8] = *b"renewdJ\0";
/// The version of the format that this build reads and writes.
pub const FORMAT_VERSION: u32 = 1;
/// Length of the file header, in bytes.
pub(crate) const FILE_HEADER_BYTES: u64 = 64;

/// The random identity of a store, written into its journal and its `store.json`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StoreId([u8; 16]);

impl StoreId {
    /// The id that these 16 random bytes are.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl std::fmt::Display for StoreId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::fmt::Debug for StoreId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

impl From<StoreId> for String {
    fn from(id: StoreId) -> String {
        id.to_string()
    }
}

/// The text is not the id of a store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a store id (32 hexadecimal digits)")]
pub struct StoreIdError(String);

impl TryFrom<String> for StoreId {
    type Error = StoreIdError;

    fn try_from(text: String) -> Result<Self, StoreIdError> {
        let lower_hex = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if text.len() != 32 || !lower_hex {
            return Err(StoreIdError(text));
        }
        u128::from_str_radix(&text, 16).map(|number| Self(number.to_be_bytes())).map_err(|_| StoreIdError(text))
    }
}

impl std::str::FromStr for StoreId {
    type Err = StoreIdError;
    fn from_str(text: &str) -> Result<Self, StoreIdError> {
        Self::try_from(text.to_owned())
    }
}

/// The first 64 bytes of the journal of this store.
pub(crate) fn file_header(id: &StoreId) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(FILE_HEADER_BYTES as usize);
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(id.as_bytes());
    let genesis = Digest::of(&bytes);
    bytes.extend_from_slice(genesis.as_bytes());
    bytes
}

/// What the file header says: which store, and where its chain begins.
pub(crate) struct FileHeader {
    pub(crate) id: StoreId,
    pub(crate) genesis: Place,
}

/// Why a file header is refused.
pub(crate) enum FileHeaderFault {
    /// Written by a version of renewd that this build does not know.
    Version(u32),
    /// Not the header of a journal, or a damaged one.
    Bad(&'static str),
}

/// Reads the file header. The version is believed only when the whole header is intact.
pub(crate) fn parse_file_header(bytes: &[u8]) -> Result<FileHeader, FileHeaderFault> {
    let (Some(covered), Some(stored)) = (bytes.get(..32), bytes.get(32..64)) else {
        return Err(FileHeaderFault::Bad("the file header is incomplete"));
    };
    if covered.get(..8) != Some(&MAGIC) {
        return Err(FileHeaderFault::Bad("the file does not begin as a journal does"));
    }
    let genesis = Digest::of(covered);
    if stored != genesis.as_bytes() {
        return Err(FileHeaderFault::Bad("the checksum of the file header does not fit"));
    }
    let version = covered.get(8..12).and_then(|b| b.try_into().ok()).map_or(0, u32::from_le_bytes);
    if version != FORMAT_VERSION {
        return Err(FileHeaderFault::Version(version));
    }
    let id = covered.get(16..32).and_then(|b| b.try_into().ok()).map(StoreId);
    let id = id.ok_or(FileHeaderFault::Bad("the file header is incomplete"))?;
    let head = Head { sequence: Sequence::ZERO, hash: genesis };
    Ok(FileHeader { id, genesis: Place { head, mark_offset: FILE_HEADER_BYTES, end_offset: FILE_HEADER_BYTES } })
}

/// Who committed what, and when: the first record of every run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunHeader {
    /// The instant that the command read from the clock, once.
    pub at: DateTime<Utc>,
    /// Who did it.
    pub actor: String,
    /// With which command.
    pub command: String,
}

/// How long a run is, so that an incomplete one can be told from a damaged one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RunExtent {
    /// Event records between header and mark.
    pub(crate) events: u32,
    /// Bytes from the end of the header record to the end of the mark.
    pub(crate) rest_bytes: u64,
}

const EXTENT_BYTES: usize = 12;

/// The payload of a run's header record.
pub(crate) fn header_payload(extent: RunExtent, header: &RunHeader) -> Result<Vec<u8>, serde_json::Error> {
    let mut payload = Vec::with_capacity(128);
    payload.extend_from_slice(&extent.events.to_le_bytes());
    payload.extend_from_slice(&extent.rest_bytes.to_le_bytes());
    serde_json::to_writer(&mut payload, header)?;
    Ok(payload)
}

/// Reads the payload of a run's header record.
pub(crate) fn parse_header_payload(payload: &[u8]) -> Option<(RunExtent, RunHeader)> {
    let events = u32::from_le_bytes(payload.get(..4)?.try_into().ok()?);
    let rest_bytes = u64::from_le_bytes(payload.get(4..EXTENT_BYTES)?.try_into().ok()?);
    let header = serde_json::from_slice(payload.get(EXTENT_BYTES..)?).ok()?;
    Some((RunExtent { events, rest_bytes }, header))
}

/// The payload of a commit mark: how many events its run has.
pub(crate) fn mark_payload(events: u32) -> [u8; 4] {
    events.to_le_bytes()
}
