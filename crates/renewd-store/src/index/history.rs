//! The history: for each subject, where in the journal the events are that concern it.
//!
//! Entries are pointers, not copies, so that reading a history verifies the journal's own records. They are kept in
//! chunks, one row each, since a row costs sled far more than the few bytes of an entry.
//!
//! INVARIANT (full-chunks): every chunk of a subject but the last is full, so that an index that grew commit by
//! commit and one that was built at once have the same rows.

use super::error::{IndexError, damaged_row};
use super::trees::after;
use super::{HISTORY_TREE, Index, row};
use crate::limits::HISTORY_CHUNK_ENTRIES_MAX;
use crate::sequence::Sequence;
use renewd_core::event::Subject;
use std::collections::BTreeMap;

const ENTRY_BYTES: usize = 24;
const CHUNK_BYTES: usize = HISTORY_CHUNK_ENTRIES_MAX * ENTRY_BYTES;

/// Where an event and the header of its commit lie in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pointer {
    pub(crate) sequence: Sequence,
    pub(crate) header_offset: u64,
    pub(crate) offset: u64,
}

impl Pointer {
    fn append_to(self, content: &mut Vec<u8>) {
        for number in [self.sequence.get(), self.header_offset, self.offset] {
            content.extend_from_slice(&number.to_le_bytes());
        }
    }

    fn read(entry: &[u8]) -> Option<Self> {
        let number = |at: usize| entry.get(at..at + 8)?.try_into().ok().map(u64::from_le_bytes);
        Some(Self { sequence: Sequence::new(number(0)?), header_offset: number(8)?, offset: number(16)? })
    }
}

/// New entries, by subject, each in the order of time.
#[derive(Debug, Default)]
pub(super) struct Entries(BTreeMap<Vec<u8>, Vec<Pointer>>);

impl Entries {
    /// Adds an event that is later than all that were added before.
    pub(super) fn add(&mut self, subjects: &[Subject], pointer: Pointer) {
        for subject in subjects {
            let entries = self.0.entry(prefix(subject)).or_default();
            if entries.last() != Some(&pointer) {
                entries.push(pointer);
            }
        }
    }
}

/// The part of the key that all chunks of a subject share. A zero byte ends it: no name has one.
fn prefix(subject: &Subject) -> Vec<u8> {
    let mut key = subject.to_string().into_bytes();
    key.push(0);
    key
}

/// The key of a chunk: subject, then the number of its first record, so that a scan is in the order of time.
fn key(prefix: &[u8], first: Sequence) -> Vec<u8> {
    [prefix, &first.get().to_be_bytes()].concat()
}

impl Index {
    /// Adds entries to the history, all of them later than those it has.
    pub(super) fn remember(&mut self, entries: &Entries) -> Result<(), IndexError> {
        for (prefix, pointers) in &entries.0 {
            let mut rest = pointers.as_slice();
            if let Some((key, stored)) = self.trees.last(HISTORY_TREE, prefix, &after(prefix))? {
                let (digest, mut content) = row::decode(HISTORY_TREE, &key, &stored)?;
                let room = CHUNK_BYTES.saturating_sub(content.len()) / ENTRY_BYTES;
                let (fill, more) = rest.split_at(room.min(rest.len()));
                fill.iter().for_each(|pointer| pointer.append_to(&mut content));
                self.replace(HISTORY_TREE, &key, Some(&digest), Some(&content))?;
                rest = more;
            }
            self.put_chunks(prefix, rest)?;
        }
        Ok(())
    }

    /// Adds entries to a history that is empty.
    pub(super) fn remember_first(&mut self, entries: &Entries) -> Result<(), IndexError> {
        entries.0.iter().try_for_each(|(prefix, pointers)| self.put_chunks(prefix, pointers))
    }

    fn put_chunks(&mut self, prefix: &[u8], pointers: &[Pointer]) -> Result<(), IndexError> {
        for chunk in pointers.chunks(HISTORY_CHUNK_ENTRIES_MAX) {
            let Some(first) = chunk.first() else { continue };
            let mut content = Vec::with_capacity(chunk.len() * ENTRY_BYTES);
            chunk.iter().for_each(|pointer| pointer.append_to(&mut content));
            self.replace(HISTORY_TREE, &key(prefix, first.sequence), None, Some(&content))?;
        }
        Ok(())
    }

    /// The history of a subject, oldest first.
    pub(crate) fn history(&self, subject: &Subject) -> Result<Vec<Pointer>, IndexError> {
        let mut pointers = Vec::new();
        self.trees.scan(HISTORY_TREE, &prefix(subject), &mut |key, stored| {
            let (_, content) = row::decode(HISTORY_TREE, key, stored)?;
            for entry in content.chunks(ENTRY_BYTES) {
                pointers.push(Pointer::read(entry).ok_or_else(|| damaged_row(HISTORY_TREE, key))?);
            }
            Ok(())
        })?;
        Ok(pointers)
    }
}
