//! What can be wrong with a journal, in words that name the record, the byte and what is still intact.

use crate::sequence::Sequence;
use std::io;
use std::sync::Arc;

/// A place in the journal that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the journal is damaged at record {record} (byte {offset}): {reason}; {}", self.intact())]
pub struct Damage {
    /// The number of the first record that cannot be trusted.
    pub record: Sequence,
    /// The byte at which it begins.
    pub offset: u64,
    /// What is wrong with it.
    pub reason: String,
    /// The last record of the last commit before the damage.
    pub intact_records: Sequence,
    /// The first byte after that commit.
    pub intact_bytes: u64,
}

impl Damage {
    /// What is intact, in words.
    fn intact(&self) -> String {
        match self.intact_records.get() {
            0 => "no commit before it is known to be intact".to_owned(),
            last => format!("records 1 to {last} (the first {} bytes) are intact", self.intact_bytes),
        }
    }
}

/// The journal cannot be opened, read or written.
#[derive(Debug, Clone, thiserror::Error)]
pub enum JournalError {
    /// There is no journal.
    #[error("there is no journal here")]
    Missing,
    /// The journal is damaged.
    #[error(transparent)]
    Damaged(#[from] Damage),
    /// The beginning of the file is not that of a journal.
    #[error("the journal is damaged at byte 0: {0}")]
    BadHeader(&'static str),
    /// Written by another version.
    #[error("the journal has format version {0}; this build reads version {version}", version = super::header::FORMAT_VERSION)]
    Version(u32),
    /// An operation of the file system failed; the journal takes no more writes.
    #[error("{operation} the journal failed: {source}")]
    Io {
        /// What was being done.
        operation: &'static str,
        /// The error of the operating system.
        source: Arc<io::Error>,
    },
    /// A sync failed: what is on the disk is unknown. Never retried; the process must end.
    #[error("making the journal durable failed, and what the disk holds is unknown: {0}")]
    Poisoned(Arc<io::Error>),
    /// The commit is over a limit; nothing was written.
    #[error("the commit is too large: {0}")]
    TooLarge(String),
    /// The disk is too full for the commit; nothing was written.
    #[error("the disk has {free_bytes} bytes free; the commit needs {needed_bytes}")]
    NoSpace {
        /// What is free.
        free_bytes: u64,
        /// The commit, and what has to stay free.
        needed_bytes: u64,
    },
}

impl JournalError {
    /// Whether bytes are other than they were written (as opposed to a failing or missing file).
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Damaged(_) | Self::BadHeader(_) => true,
            Self::Missing
            | Self::Version(_)
            | Self::Io { .. }
            | Self::Poisoned(_)
            | Self::TooLarge(_)
            | Self::NoSpace { .. } => false,
        }
    }
}

/// Turns an I/O error of an operation into a [`JournalError`].
pub(crate) fn during(operation: &'static str) -> impl Fn(io::Error) -> JournalError {
    move |error| JournalError::Io { operation, source: Arc::new(error) }
}
