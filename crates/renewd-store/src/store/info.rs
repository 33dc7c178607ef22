//! `store info`: what a store is and how large.

use super::{Mode, Restored, Store, StoreError, blobs, error::failed};
use crate::index::IndexError;
use crate::journal::{FORMAT_VERSION, StoreId};
use crate::sequence::Head;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// What a store is and how large.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreInfo {
    /// Its random identity.
    pub id: StoreId,
    /// The version of its format.
    pub format_version: u32,
    /// The mark of a store that was restored or salvaged.
    pub restored: Option<Restored>,
    /// The last commit.
    pub head: Head,
    /// Length of the journal.
    pub journal_bytes: u64,
    /// Length of the index on the disk.
    pub index_bytes: u64,
    /// Length of all blobs.
    pub blob_bytes: u64,
    /// Rows in each tree of the index.
    pub rows: BTreeMap<&'static str, u64>,
}

impl Store {
    /// What the store is and how large.
    ///
    /// # Errors
    /// The index failed and could not be rebuilt, or the file system failed.
    pub fn info(&self) -> Result<StoreInfo, StoreError> {
        let rows = self.inner.borrow_mut().ask(|index| Ok(index.rows()))?;
        let inner = self.inner.borrow();
        let blobs = blobs::dir(&self.dir);
        Ok(StoreInfo {
            id: self.id,
            format_version: FORMAT_VERSION,
            restored: self.restored,
            head: inner.journal.head(),
            journal_bytes: inner.journal.bytes(),
            index_bytes: inner.home.bytes().map_err(IndexError::from)?,
            blob_bytes: crate::disk::dir_bytes(&blobs).map_err(failed("reading", &blobs))?,
            rows,
        })
    }
}

/// Opens the store in `dir` and says what it is and how large.
///
/// # Errors
/// As [`Store::open`].
pub fn info(dir: &Path, wait: Duration) -> Result<StoreInfo, StoreError> {
    Store::open(dir, wait, Mode::Read)?.info()
}
