//! `store verify` and `store rebuild`: everything is read, nothing is believed.
//!
//! `verify` must never repair the index: it says what is wrong with it. (It does cut a torn end of the journal, as
//! every open does, and says so.)

use super::{BlobReport, Opened, StoreError, blobs, index_care, open_journal};
use crate::index::{Home, Index, IndexError};
use crate::journal::{Depth, Journal, JournalReport};
use crate::sequence::Head;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Most differing rows that a report names.
const DIFFERENCES_MAX: usize = 20;

/// What a full check found. Damage of the journal is no report but an error that names the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyReport {
    /// Of the journal, whose every record was verified.
    pub journal: JournalReport,
    /// The last commit.
    pub head: Head,
    /// Length of the journal.
    pub journal_bytes: u64,
    /// Of the index.
    pub index: IndexVerdict,
    /// Of the blobs.
    pub blobs: BlobReport,
}

impl VerifyReport {
    /// Whether everything is as it was written.
    pub fn is_sound(&self) -> bool {
        self.index == IndexVerdict::Agrees && self.blobs.damaged.is_empty()
    }
}

/// How the index compares with one that is built from the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IndexVerdict {
    /// Row by row the same.
    Agrees,
    /// There is none; the next open builds it.
    Missing,
    /// It lacks the last commits; the next open brings them in.
    Behind,
    /// It has other rows; `store rebuild` replaces it.
    Differs {
        /// Some of them.
        rows: Vec<String>,
    },
    /// It cannot be read; the next open replaces it.
    Unreadable {
        /// Why.
        reason: String,
    },
}

/// Reads the whole store: the chain of the journal, the index against a rebuild, and every blob.
///
/// # Errors
/// The journal is damaged (the error names record, byte and intact range), the store is in use, or the file
/// system failed.
pub fn verify(dir: &Path, wait: Duration) -> Result<VerifyReport, StoreError> {
    let Opened { lock: _lock, mut journal, report, .. } = open_journal(dir, wait, Depth::Full)?;
    let should_be = index_care::build_apart(&Home::Memory, &mut journal)?;
    let home = Home::Directory(dir.to_owned());
    let index = verdict(&home, &journal, &should_be);
    if index != IndexVerdict::Missing {
        home.restrict().map_err(IndexError::from)?;
    }
    let blobs = blobs::check_all(dir)?;
    Ok(VerifyReport { journal: report, head: journal.head(), journal_bytes: journal.bytes(), index, blobs })
}

fn verdict(home: &Home, journal: &Journal, should_be: &Index) -> IndexVerdict {
    let unreadable = |error: IndexError| IndexVerdict::Unreadable { reason: error.to_string() };
    let index = match home.open() {
        Ok(Some(trees)) => match Index::open(trees, journal.id()) {
            Ok(index) => index,
            Err(error) => return unreadable(error),
        },
        Ok(None) => return IndexVerdict::Missing,
        Err(error) => return unreadable(error),
    };
    if index.place().head.sequence < journal.head().sequence {
        return IndexVerdict::Behind;
    }
    match index.check_rows().and_then(|()| index.differences(should_be, DIFFERENCES_MAX)) {
        Ok(rows) if rows.is_empty() && index.place() == journal.place() => IndexVerdict::Agrees,
        Ok(rows) => IndexVerdict::Differs { rows },
        Err(error) => unreadable(error),
    }
}

/// What a rebuild did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebuilt {
    /// The last commit.
    pub head: Head,
    /// Of the journal, whose every record was verified.
    pub journal: JournalReport,
    /// Rows in all trees of the new index.
    pub rows: u64,
    /// Where the old index is now, if there was one.
    pub aside: Option<PathBuf>,
}

/// Builds the index anew from the whole journal.
///
/// # Errors
/// The journal is damaged, the store is in use, or the file system failed.
pub fn rebuild(dir: &Path, wait: Duration) -> Result<Rebuilt, StoreError> {
    let Opened { lock: _lock, mut journal, report, .. } = open_journal(dir, wait, Depth::Full)?;
    let home = Home::Directory(dir.to_owned());
    let (index, aside) = index_care::build(&home, &mut journal)?;
    let rebuilt = Rebuilt { head: journal.head(), journal: report, rows: index.rows().values().sum(), aside };
    index.close()?;
    home.restrict().map_err(IndexError::from)?;
    Ok(rebuilt)
}
