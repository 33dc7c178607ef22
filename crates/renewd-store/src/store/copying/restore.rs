//! `store restore`: a store from a backup, in a directory of its own and marked as what it is.
//!
//! Must never write over a store, nor leave out the mark: the original may have charged after the backup was made.

use super::super::error::StoreError;
use super::super::identity::{self, Origin, Restored};
use super::backup::read_backup;
use super::partial::Partial;
use super::{Copied, Way, require_whole, take_blobs};
use crate::disk::RealDisk;
use crate::failpoint::failpoint;
use crate::journal::copy_prefix;
use std::path::Path;

/// Makes a store in `dir`, which must not exist or be empty, from a backup that is verified first. The next open
/// builds its index. See [`Store::restored`](crate::Store::restored) for the mark that it gets.
///
/// # Errors
/// The backup is none or is damaged, there is a store already, the disk is too full, or the file system failed. Then
/// nothing is in `dir`.
pub fn restore(backup: &Path, dir: &Path) -> Result<(Copied, Restored), StoreError> {
    let (identity, contents, bytes) = read_backup(backup)?;
    let partial = Partial::begin(Some(backup), dir, bytes)?;
    failpoint("copy.before-journal");
    let (id, place) = (identity.id, contents.place);
    copy_prefix(&mut RealDisk::for_reading(backup), &id, place, &mut RealDisk::new(partial.path()))?;
    take_blobs(backup, &contents.blobs, partial.path(), Way::Copy)?;
    require_whole(partial.path(), id, place)?;
    failpoint("copy.before-identity");
    let (identity, mark) = identity.of_restored(Origin::Backup, place.head);
    identity::write(partial.path(), &identity)?;
    partial.finish()?;
    Ok((Copied { head: place.head, bytes, blobs: contents.blobs.len() as u64 }, mark))
}
