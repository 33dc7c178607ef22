//! The history: for each subject, where in the journal the events are that concern it.
//!
//! Entries are pointers, not copies: values stay small, and reading a history verifies the journal's own records.

use super::error::{IndexError, damaged_row};
use super::{HISTORY_TREE, Index, row};
use crate::sequence::Sequence;
use renewd_core::event::Subject;

/// Where an event and the header of its commit lie in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pointer {
    pub(crate) sequence: Sequence,
    pub(crate) header_offset: u64,
    pub(crate) offset: u64,
}

/// The part of the key that all entries of a subject share. A zero byte ends it: no name has one.
fn prefix(subject: &Subject) -> Vec<u8> {
    let mut key = subject.to_string().into_bytes();
    key.push(0);
    key
}

/// The key of an entry: subject, then the record's number, so that a scan is in the order of time.
pub(super) fn key(subject: &Subject, pointer: Pointer) -> Vec<u8> {
    let mut key = prefix(subject);
    key.extend_from_slice(&pointer.sequence.get().to_be_bytes());
    key
}

/// The content of an entry.
pub(super) fn content(pointer: Pointer) -> [u8; 16] {
    let mut content = [0; 16];
    let numbers = [pointer.header_offset.to_le_bytes(), pointer.offset.to_le_bytes()];
    content.iter_mut().zip(numbers.as_flattened()).for_each(|(to, from)| *to = *from);
    content
}

impl Index {
    /// Adds an entry to the history of a subject. It is new: no record has the number of another.
    pub(super) fn remember(&mut self, subject: &Subject, pointer: Pointer) -> Result<(), IndexError> {
        self.replace(HISTORY_TREE, &key(subject, pointer), None, Some(&content(pointer)))
    }

    /// The history of a subject, oldest first.
    pub(crate) fn history(&self, subject: &Subject) -> Result<Vec<Pointer>, IndexError> {
        let prefix = prefix(subject);
        let mut pointers = Vec::new();
        self.trees.scan(HISTORY_TREE, &prefix, &mut |key, stored| {
            let (_, content) = row::decode(HISTORY_TREE, key, stored)?;
            let sequence = key.get(prefix.len()..).and_then(|b| b.try_into().ok()).map(u64::from_be_bytes);
            let header = content.get(..8).and_then(|b| b.try_into().ok()).map(u64::from_le_bytes);
            let offset = content.get(8..).and_then(|b| b.try_into().ok()).map(u64::from_le_bytes);
            let (Some(sequence), Some(header_offset), Some(offset)) = (sequence, header, offset) else {
                return Err(damaged_row(HISTORY_TREE, key));
            };
            pointers.push(Pointer { sequence: Sequence::new(sequence), header_offset, offset });
            Ok(())
        })?;
        Ok(pointers)
    }
}
