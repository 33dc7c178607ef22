//! `store salvage`: what is intact of a damaged store, as a new store elsewhere, and an account of what is not.
//!
//! Must never change a byte of the damaged store, take part of a commit, or leave out the mark: commits that were
//! lost may have been charges.

use super::super::error::{StoreError, failed};
use super::super::identity::{self, Identity, Origin, Restored};
use super::super::{blobs, read_blob};
use super::partial::Partial;
use super::{Copied, Way, blob_bytes, require_whole, take_blobs};
use crate::disk::RealDisk;
use crate::failpoint::failpoint;
use crate::journal::survey::{Survey, survey};
use crate::journal::{Damage, JournalError, copy_prefix};
use renewd_core::ids::Digest;
use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
use std::time::Duration;

/// What was salvaged, and what was not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Salvaged {
    /// What the new store holds.
    pub copied: Copied,
    /// The mark that it has.
    pub restored: Restored,
    /// What is wrong with the journal; none if all of it is intact.
    pub damage: Option<Damage>,
    /// The header of the journal was damaged; `store.json` named a store whose chain the journal continues.
    pub header_replaced: bool,
    /// What is not in the new store.
    pub left: LeftBehind,
}

/// What could not be salvaged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftBehind {
    /// Records behind the last intact commit: at least so many, going by the highest number that is still legible.
    pub records: u64,
    /// How many of them were acknowledged for certain; none if there is no watermark left that could tell.
    pub acknowledged: Option<u64>,
    /// Bytes of the journal behind the last intact commit.
    pub bytes: u64,
    /// Blobs that are damaged or cannot be read.
    pub blobs: Vec<Digest>,
}

/// Makes a store in `into`, which must not exist or be empty, from what is intact of the store in `dir`: all commits
/// before the first damage, and all intact blobs.
///
/// # Errors
/// Nothing is intact, the header of the journal is damaged and nothing shows which store it was, the damaged store is
/// in use, the disk is too full, or the file system failed. Then nothing is in `into`.
pub fn salvage(dir: &Path, into: &Path) -> Result<Salvaged, StoreError> {
    let _held = hold(dir)?;
    let known = identity::read(dir).ok().flatten();
    let survey = match survey(&mut RealDisk::for_salvage(dir), known.as_ref().map(|identity| identity.id)) {
        Err(JournalError::Missing) if known.is_none() => return Err(StoreError::Missing(dir.to_owned())),
        other => other?,
    };
    let damage = survey.damage();
    if let Some(damage) = damage.as_ref().filter(|_| survey.place.head.sequence == crate::Sequence::ZERO) {
        return Err(StoreError::NothingIntact(damage.clone()));
    }
    let (id, place) = (survey.id, survey.place);
    let partial = Partial::begin(Some(dir), into, place.end_offset + blob_bytes(dir)?)?;
    failpoint("copy.before-journal");
    copy_prefix(&mut RealDisk::for_reading(dir), &id, place, &mut RealDisk::new(partial.path()))?;
    let (intact, bad): (Vec<_>, Vec<_>) =
        blobs::list(dir)?.into_iter().partition(|digest| read_blob(dir, digest).is_ok());
    let blob_bytes = take_blobs(dir, &intact, partial.path(), Way::Copy)?;
    require_whole(partial.path(), id, place)?;
    failpoint("copy.before-identity");
    let base = known.filter(|known| known.id == id).unwrap_or_else(|| Identity::of_lost(id, place.head));
    let (identity, restored) = base.of_restored(Origin::Salvage, place.head);
    identity::write(partial.path(), &identity)?;
    partial.finish()?;
    let copied = Copied { head: place.head, bytes: place.end_offset + blob_bytes, blobs: intact.len() as u64 };
    let left = left_behind(&survey, bad);
    Ok(Salvaged { copied, restored, damage, header_replaced: survey.header_replaced, left })
}

fn left_behind(survey: &Survey, blobs: Vec<Digest>) -> LeftBehind {
    let beyond = |last: crate::Sequence| last.get().saturating_sub(survey.place.head.sequence.get());
    LeftBehind {
        records: beyond(survey.last_seen),
        acknowledged: survey.watermark.map(|mark| beyond(mark.head.sequence)),
        bytes: survey.bytes.saturating_sub(survey.place.end_offset),
        blobs,
    }
}

/// Keeps other processes out if the damaged store has a lock; none is made, since nothing there is changed.
fn hold(dir: &Path) -> Result<Option<File>, StoreError> {
    let path = dir.join(super::super::lock::NAME);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed("opening", &path)(error)),
    };
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Err(StoreError::Busy { dir: dir.to_owned(), waited: Duration::ZERO }),
        Err(TryLockError::Error(error)) => Err(failed("locking", &path)(error)),
    }
}
