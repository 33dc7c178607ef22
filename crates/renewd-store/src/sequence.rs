//! Where the journal stands: the number of a record, and the head (number and hash) of everything before it.

use renewd_core::ids::Digest;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The number of a journal record. The first record is 1; 0 stands for an empty journal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sequence(u64);

impl Sequence {
    /// The head of a journal without records.
    pub const ZERO: Self = Self(0);

    /// The sequence with this number.
    pub fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    pub fn get(self) -> u64 {
        self.0
    }

    /// The sequence of the next record.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The last committed record: two stores with the same head have the same history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Head {
    /// The number of the last committed record.
    pub sequence: Sequence,
    /// The hash of the last committed record, which covers every record before it.
    pub hash: Digest,
}

/// A head together with where its commit mark lies in the journal file.
///
/// This is what a watermark holds: enough to go on from there without reading what is before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Place {
    /// The head.
    pub(crate) head: Head,
    /// The byte at which the commit mark begins (the length of the file header for an empty journal).
    pub(crate) mark_offset: u64,
    /// The first byte after the commit mark.
    pub(crate) end_offset: u64,
}
