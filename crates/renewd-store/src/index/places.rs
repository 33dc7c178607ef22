//! Places: now and then a commit and where it lies, so that what is after some event is found without reading
//! what is before it.
//!
//! A commit has a place here exactly if a multiple of [`PLACE_STEP_BYTES`] lies in it, so that an index that grew
//! commit by commit and one that was built at once have the same rows. Must only say where to begin: the journal's
//! own mark has to be there, or the place is not used.

use super::error::{IndexError, damaged_row};
use super::{CommitView, Index, row};
use crate::limits::PLACE_STEP_BYTES;
use crate::sequence::{Head, Place, Sequence};
use renewd_core::ids::Digest;

/// The tree of the places.
pub(super) const TREE: &str = "places";

fn key(sequence: Sequence) -> [u8; 8] {
    sequence.get().to_be_bytes()
}

fn content(place: Place) -> Vec<u8> {
    let hash = place.head.hash.as_bytes().as_slice();
    [hash, &place.mark_offset.to_le_bytes(), &place.end_offset.to_le_bytes()].concat()
}

fn read(key: &[u8], content: &[u8]) -> Option<Place> {
    let sequence = Sequence::new(u64::from_be_bytes(key.try_into().ok()?));
    let hash = Digest::from_bytes(content.get(..32)?.try_into().ok()?);
    let number = |at: usize| content.get(at..at + 8)?.try_into().ok().map(u64::from_le_bytes);
    Some(Place { head: Head { sequence, hash }, mark_offset: number(32)?, end_offset: number(40)? })
}

/// The place of a commit, if it has one.
pub(super) fn of(commit: &CommitView) -> Option<Place> {
    let before = commit.header_offset / PLACE_STEP_BYTES;
    (commit.place.end_offset / PLACE_STEP_BYTES > before).then_some(commit.place)
}

impl Index {
    /// Adds a place that is not there yet.
    pub(super) fn put_place(&mut self, place: Place) -> Result<(), IndexError> {
        self.replace(TREE, &key(place.head.sequence), None, Some(&content(place)))
    }

    /// The last place that is not after this record; none if the first is after it.
    pub(crate) fn place_up_to(&self, sequence: Sequence) -> Result<Option<Place>, IndexError> {
        let Some((key, stored)) = self.trees.last(TREE, &[], &key(sequence.next()))? else { return Ok(None) };
        let (_, content) = row::decode(TREE, &key, &stored)?;
        read(&key, &content).map(Some).ok_or_else(|| damaged_row(TREE, &key))
    }
}
