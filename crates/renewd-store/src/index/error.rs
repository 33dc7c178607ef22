//! Why the index cannot be used. Every one of these is answered by a rebuild, never by a wrong answer.

use renewd_core::state::RowError;

/// The index cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// sled says so.
    #[error("the index failed: {}", sled_words(.0))]
    Sled(#[from] sled::Error),
    /// sled panicked.
    #[error("the index failed: {0}")]
    Panicked(String),
    /// The file system failed while the index was put in place.
    #[error("the index cannot be put in place: {0}")]
    Io(#[from] std::io::Error),
    /// A row is not what was written.
    #[error("the row `{key}` of the index ({tree}) is damaged")]
    DamagedRow {
        /// Its tree.
        tree: String,
        /// Its key.
        key: String,
    },
    /// A row's content is not that of such a row.
    #[error(transparent)]
    Row(#[from] RowError),
    /// The index as a whole does not fit the journal.
    #[error("the index {0}")]
    Unfit(&'static str),
    /// The event in the journal is of a kind that this build does not know.
    #[error("record {sequence} of the journal holds an event that this version cannot read: {reason}")]
    Event {
        /// The record.
        sequence: crate::Sequence,
        /// What the reader says.
        reason: String,
    },
}

fn sled_words(error: &sled::Error) -> String {
    match error {
        sled::Error::Corruption { .. } => "its files are damaged or incomplete".to_owned(),
        sled::Error::CollectionNotFound(_)
        | sled::Error::Unsupported(_)
        | sled::Error::ReportableBug(_)
        | sled::Error::Io(_) => error.to_string(),
    }
}

/// The readable form of a key.
pub(crate) fn key_text(key: &[u8]) -> String {
    String::from_utf8_lossy(key).replace('\0', "/")
}

/// A [`IndexError::DamagedRow`].
pub(crate) fn damaged_row(tree: &str, key: &[u8]) -> IndexError {
    IndexError::DamagedRow { tree: tree.to_owned(), key: key_text(key) }
}
