//! Blobs: bytes kept by their digest (the plugins that were ever used). Written once, verified on every read.
//!
//! Must never return bytes whose digest is not the one asked for, nor delete a blob.

use super::error::{StoreError, failed};
use super::files::{Boundaries, private_dir, require_room, write_whole};
use super::{Mode, Store};
use crate::limits::BLOB_BYTES_MAX;
use renewd_core::ids::Digest;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

pub(super) const DIR: &str = "blobs";
const BOUNDARIES: Boundaries = Boundaries {
    before_write: "blob.before-write",
    before_sync: "blob.before-sync",
    before_rename: "blob.before-rename",
    after_rename: "blob.after-rename",
};

pub(super) fn dir(store: &Path) -> PathBuf {
    store.join(DIR)
}

impl Store {
    /// Keeps these bytes, durably, and says under which digest. A damaged copy is replaced.
    ///
    /// # Errors
    /// The bytes are over the limit, the store is open for reading, or the file system failed.
    pub fn put_blob(&self, bytes: &[u8]) -> Result<Digest, StoreError> {
        if self.mode == Mode::Read {
            return Err(StoreError::ReadOnly);
        }
        if bytes.len() as u64 > BLOB_BYTES_MAX {
            return Err(StoreError::BlobTooLarge { bytes: bytes.len() as u64 });
        }
        let digest = Digest::of(bytes);
        if self.blob(&digest).is_ok() {
            return Ok(digest);
        }
        require_room(&self.dir, bytes.len() as u64)?;
        let dir = dir(&self.dir);
        private_dir(&dir)?;
        write_whole(&dir, &digest.to_string(), bytes, &BOUNDARIES)?;
        Ok(digest)
    }

    /// The bytes of this digest.
    ///
    /// # Errors
    /// There is no such blob, it is damaged, or the file system failed.
    pub fn blob(&self, digest: &Digest) -> Result<Vec<u8>, StoreError> {
        read_blob(&self.dir, digest)
    }

    /// Whether there is a blob of this digest. Its bytes are not read.
    pub fn has_blob(&self, digest: &Digest) -> bool {
        dir(&self.dir).join(digest.to_string()).is_file()
    }
}

/// The bytes of this digest in the store `store`. Needs no lock: a blob never changes once it has its name.
///
/// # Errors
/// There is no such blob, it is damaged, or the file system failed.
pub fn read_blob(store: &Path, digest: &Digest) -> Result<Vec<u8>, StoreError> {
    let path = dir(store).join(digest.to_string());
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(StoreError::NoBlob(*digest)),
        Err(error) => return Err(failed("reading", &path)(error)),
    };
    if Digest::of(&bytes) != *digest {
        return Err(StoreError::BadBlob(*digest));
    }
    Ok(bytes)
}

/// What a check of all blobs found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BlobReport {
    /// Blobs that are as they were written.
    pub intact: u64,
    /// Their length in bytes, together.
    pub bytes: u64,
    /// Blobs whose bytes are not those of their digest.
    pub damaged: Vec<Digest>,
}

/// The digests of all blobs, sorted.
pub(super) fn list(store: &Path) -> Result<Vec<Digest>, StoreError> {
    let dir = dir(store);
    let entries = match fs::read_dir(&dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed("reading", &dir)(error)),
    };
    let mut digests = Vec::new();
    for entry in entries {
        let name = entry.map_err(failed("reading", &dir))?.file_name();
        // A name that is no digest is what a crash left of a write; it is overwritten by the next one.
        digests.extend(name.to_str().and_then(|name| name.parse::<Digest>().ok()));
    }
    digests.sort();
    Ok(digests)
}

/// Reads every blob.
pub(super) fn check_all(store: &Path) -> Result<BlobReport, StoreError> {
    let mut report = BlobReport::default();
    for digest in list(store)? {
        match read_blob(store, &digest) {
            Ok(bytes) => {
                report.intact += 1;
                report.bytes += bytes.len() as u64;
            }
            Err(StoreError::BadBlob(_)) => report.damaged.push(digest),
            Err(error) => return Err(error),
        }
    }
    Ok(report)
}
