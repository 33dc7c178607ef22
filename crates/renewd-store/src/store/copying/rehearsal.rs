//! The copy that a rehearsal works on: the same store in every respect, the index included, so that it is open at
//! once. No backup: blobs are linked, and the copy is a store that can be used as it is.
//!
//! Must never leave a lock, an owner in flight or another rehearsal in the copy.

use super::super::error::StoreError;
use super::super::{Opened, blobs, identity, open_journal};
use super::partial::Partial;
use super::{Copied, Way, blob_bytes, require_whole, take_blobs};
use crate::disk::RealDisk;
use crate::failpoint::failpoint;
use crate::index::{Home, IndexError};
use crate::journal::{Depth, copy_prefix};
use std::path::Path;
use std::time::Duration;

/// Copies the store in `dir`, as it is at its last commit, to `into`, which must not exist or be empty (it may be a
/// directory in the store itself). The copy has the identity of the original, and its mark if that has one.
///
/// # Errors
/// As [`backup`](super::backup).
pub fn copy_for_rehearsal(dir: &Path, into: &Path, wait: Duration) -> Result<Copied, StoreError> {
    let Opened { lock, identity, journal, .. } = open_journal(dir, wait, Depth::Ordinary)?;
    let home = Home::Directory(dir.to_owned());
    let index_bytes = home.bytes().map_err(IndexError::from)?;
    let (id, place, mut source) = (journal.id(), journal.place(), journal.into_disk());
    let partial = Partial::begin(None, into, place.end_offset + index_bytes + blob_bytes(dir)?)?;
    failpoint("copy.before-journal");
    // The index changes with every commit, so it is copied under the lock; the next open checks it row by row.
    home.copy_to(partial.path()).map_err(IndexError::from)?;
    drop(lock);
    copy_prefix(&mut *source, &id, place, &mut RealDisk::new(partial.path()))?;
    let digests = blobs::list(dir)?;
    let blob_bytes = take_blobs(dir, &digests, partial.path(), Way::Link)?;
    require_whole(partial.path(), id, place)?;
    failpoint("copy.before-identity");
    identity::write(partial.path(), &identity)?;
    partial.finish()?;
    Ok(Copied { head: place.head, bytes: place.end_offset + blob_bytes, blobs: digests.len() as u64 })
}
