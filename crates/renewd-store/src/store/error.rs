//! What can go wrong with a store, in the words that the user sees.

use crate::index::IndexError;
use crate::journal::{JournalError, StoreId};
use crate::sequence::Sequence;
use renewd_core::ids::Digest;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// A store cannot be opened or read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no store in that directory.
    #[error("there is no store in `{}`", .0.display())]
    Missing(PathBuf),
    /// There is one already.
    #[error("there is a store in `{}` already", .0.display())]
    Exists(PathBuf),
    /// There is a journal with commits but no `store.json`; nothing is written over it.
    #[error("`{}` has a journal with commits but no store.json", .0.display())]
    Orphaned(PathBuf),
    /// Another process had the store open all the time.
    #[error("the store `{}` is in use; waited {} ms", dir.display(), waited.as_millis())]
    Busy {
        /// The store.
        dir: PathBuf,
        /// How long it was waited for.
        waited: Duration,
    },
    /// `store.json` is not what was written.
    #[error("`store.json` is damaged: {0}")]
    BadIdentity(String),
    /// Written by another version of renewd.
    #[error("the store has format version {0}; this build reads version {version}", version = crate::journal::FORMAT_VERSION)]
    Version(u32),
    /// The journal is that of another store.
    #[error("the journal belongs to the store {journal}, `store.json` names {identity}")]
    Mixed {
        /// The id in the journal.
        journal: StoreId,
        /// The id in `store.json`.
        identity: StoreId,
    },
    /// The journal cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The index cannot be used and could not be rebuilt.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// There is no such blob.
    #[error("the store has no blob {0}")]
    NoBlob(Digest),
    /// A blob's bytes are not those of its digest.
    #[error("the blob {0} is damaged")]
    BadBlob(Digest),
    /// A blob is over the limit.
    #[error("a blob of {bytes} bytes is over the limit of {limit}", limit = crate::limits::BLOB_BYTES_MAX)]
    BlobTooLarge {
        /// Its length.
        bytes: u64,
    },
    /// The store was opened for reading.
    #[error("the store was opened for reading only")]
    ReadOnly,
    /// The disk is too full; nothing was written.
    #[error("the disk of `{}` has {free_bytes} bytes free; {needed_bytes} are needed", path.display())]
    NoSpace {
        /// Where it was to be written.
        path: PathBuf,
        /// What is free.
        free_bytes: u64,
        /// What was to be written, and what has to stay free.
        needed_bytes: u64,
    },
    /// The directory cannot take a new copy.
    #[error("`{}` cannot become a copy: {reason}", path.display())]
    Target {
        /// The directory.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A backup is not used as a store: it has to be restored to a directory of its own.
    #[error("`{}` is a backup, not a store", .0.display())]
    Backup(PathBuf),
    /// It is a store, or a copy that `store backup` did not make.
    #[error("`{}` is not a backup", .0.display())]
    NotABackup(PathBuf),
    /// A copy lacks something that it says it holds, or its parts do not belong together.
    #[error("the copy `{}` is damaged: {reason}", path.display())]
    BadCopy {
        /// The copy.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Not even the first commit of the journal is intact.
    #[error("nothing can be salvaged: {0}")]
    NothingIntact(crate::journal::Damage),
    /// The file system failed.
    #[error("{operation} `{}` failed: {source}", path.display())]
    Io {
        /// What was being done.
        operation: &'static str,
        /// With which file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
}

impl StoreError {
    /// Whether another process has the store (exit 5).
    pub fn is_busy(&self) -> bool {
        matches!(self, Self::Busy { .. })
    }

    /// Whether there is no store.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Missing(_))
    }

    /// Whether the store is damaged or the disk failed (exit 6).
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Orphaned(_)
            | Self::BadIdentity(_)
            | Self::Mixed { .. }
            | Self::Journal(_)
            | Self::Index(_)
            | Self::NoBlob(_)
            | Self::BadBlob(_)
            | Self::BadCopy { .. }
            | Self::NothingIntact(_)
            | Self::Io { .. } => true,
            Self::Missing(_)
            | Self::Exists(_)
            | Self::Busy { .. }
            | Self::Version(_)
            | Self::BlobTooLarge { .. }
            | Self::NoSpace { .. }
            | Self::Target { .. }
            | Self::Backup(_)
            | Self::NotABackup(_)
            | Self::ReadOnly => false,
        }
    }
}

/// Turns an I/O error into a [`StoreError`] that names operation and file.
pub(crate) fn failed(operation: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> StoreError {
    let path = path.into();
    move |source| StoreError::Io { operation, path, source }
}

/// A commit was not made, or it is not known whether it was.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// Somebody else committed since the state was loaded; nothing was written. Load and decide again.
    #[error("the store has moved from {expected} to {found}")]
    Moved {
        /// The sequence that the commit was decided at.
        expected: Sequence,
        /// The sequence that the store is at.
        found: Sequence,
    },
    /// The commit is over a limit; nothing was written.
    #[error("the commit is too large: {0}")]
    TooLarge(String),
    /// The disk is too full; nothing was written, and the store can still be read. Make room and try again.
    #[error("the disk has {free_bytes} bytes free; the commit needs {needed_bytes}")]
    NoSpace {
        /// What is free.
        free_bytes: u64,
        /// The commit, and what has to stay free.
        needed_bytes: u64,
    },
    /// The store was opened for reading; nothing was written.
    #[error("the store was opened for reading only")]
    ReadOnly,
    /// An event cannot be written as JSON; nothing was written.
    #[error("an event cannot be written: {0}")]
    Encode(#[from] serde_json::Error),
    /// An event would not be read back as it is (a bug, found before it could do harm); nothing was written.
    #[error("event {number} of the commit would not be read back as it is: {reason}")]
    Unfaithful {
        /// Which one, from 1.
        number: usize,
        /// What differs.
        reason: String,
    },
    /// Writing failed; the store takes no more commits, and the process must end (exit 6).
    #[error("{0}")]
    Io(JournalError),
    /// A sync failed; what the disk holds is unknown, and the process must end (exit 6). Never retried.
    #[error("making the journal durable failed, and what the disk holds is unknown: {0}")]
    Poisoned(Arc<io::Error>),
}

impl CommitError {
    /// Whether the process must end because the disk failed (exit 6).
    pub fn is_fatal(&self) -> bool {
        match self {
            Self::Io(_) | Self::Poisoned(_) => true,
            Self::Moved { .. }
            | Self::TooLarge(_)
            | Self::NoSpace { .. }
            | Self::ReadOnly
            | Self::Encode(_)
            | Self::Unfaithful { .. } => false,
        }
    }
}

impl From<JournalError> for CommitError {
    fn from(error: JournalError) -> Self {
        match error {
            JournalError::TooLarge(what) => Self::TooLarge(what),
            JournalError::NoSpace { free_bytes, needed_bytes } => Self::NoSpace { free_bytes, needed_bytes },
            JournalError::Poisoned(source) => Self::Poisoned(source),
            other @ (JournalError::Missing
            | JournalError::Damaged(_)
            | JournalError::BadHeader(_)
            | JournalError::Version(_)
            | JournalError::Io { .. }) => Self::Io(other),
        }
    }
}
