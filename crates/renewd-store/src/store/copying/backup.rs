//! `store backup`: a consistent copy of a store that others go on using.
//!
//! The lock is held only until it is known where the journal ends. What is before that place never changes, and
//! neither does a blob; so the copying itself keeps nobody waiting.

use super::super::error::StoreError;
use super::super::identity::{self, Contents};
use super::super::{Opened, blobs, open_journal, read_blob};
use super::partial::Partial;
use super::{Copied, Way, blob_bytes, require_whole, take_blobs};
use crate::disk::RealDisk;
use crate::failpoint::failpoint;
use crate::journal::{Depth, copy_prefix};
use std::path::Path;
use std::time::Duration;

/// Copies the store in `dir`, as it is at its last commit, to `target`, which must not exist or be empty.
///
/// # Errors
/// The store is in use all the time, its journal or a blob is damaged, the target cannot be used or its disk is too
/// full, or the file system failed. Then there is nothing at the target.
pub fn backup(dir: &Path, target: &Path, wait: Duration) -> Result<Copied, StoreError> {
    let Opened { lock, identity, journal, .. } = open_journal(dir, wait, Depth::Ordinary)?;
    let (id, place, mut source) = (journal.id(), journal.place(), journal.into_disk());
    drop(lock);
    let partial = Partial::begin(Some(dir), target, place.end_offset + blob_bytes(dir)?)?;
    failpoint("copy.before-journal");
    copy_prefix(&mut *source, &id, place, &mut RealDisk::new(partial.path()))?;
    let digests = blobs::list(dir)?;
    let blob_bytes = take_blobs(dir, &digests, partial.path(), Way::Copy)?;
    require_whole(partial.path(), id, place)?;
    let copied = Copied { head: place.head, bytes: place.end_offset + blob_bytes, blobs: digests.len() as u64 };
    failpoint("copy.before-identity");
    identity::write(partial.path(), &identity.of_backup(Contents { place, blobs: digests }))?;
    partial.finish()?;
    Ok(copied)
}

/// Reads a backup: its journal from the first byte to the last, and every blob that it says it holds.
///
/// # Errors
/// It is no backup, or something in it is missing or damaged, or the file system failed.
pub fn verify_backup(backup: &Path) -> Result<Copied, StoreError> {
    let (_, contents, bytes) = read_backup(backup)?;
    Ok(Copied { head: contents.place.head, bytes, blobs: contents.blobs.len() as u64 })
}

/// The identity and contents of a backup whose journal and blobs were all read, and how many bytes those are.
pub(super) fn read_backup(backup: &Path) -> Result<(identity::Identity, Contents, u64), StoreError> {
    let Some(identity) = identity::read(backup)? else {
        return Err(StoreError::NotABackup(backup.to_owned()));
    };
    let Some(contents) = identity.backup.clone() else {
        return Err(StoreError::NotABackup(backup.to_owned()));
    };
    require_whole(backup, identity.id, contents.place)?;
    let mut bytes = contents.place.end_offset;
    for digest in &contents.blobs {
        bytes += read_blob(backup, digest)?.len() as u64;
    }
    Ok((identity, contents, bytes))
}
